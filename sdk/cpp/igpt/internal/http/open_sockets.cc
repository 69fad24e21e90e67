#include "igpt/internal/http/open_sockets.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace igpt::internal {
namespace {

// 0 when the socket has none yet.
int LocalPort(curl_socket_t socket) {
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6&>(address).sin6_port);
  return ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);
}

}  // namespace

curl_socket_t OpenSockets::Open(const curl_sockaddr& address) {
  const curl_socket_t opened = socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol);
  if (opened != CURL_SOCKET_BAD) unnamed_.insert(opened);
  return opened;
}

int OpenSockets::Close(curl_socket_t socket) {
  unnamed_.erase(socket);
  if (const auto found = ports_.find(socket); found != ports_.end()) {
    const auto [begin, end] = by_port_.equal_range(found->second);
    by_port_.erase(std::find_if(begin, end, [socket](const auto& entry) { return entry.second == socket; }));
    ports_.erase(found);
  }
  return close(socket);
}

bool OpenSockets::HasInput(int local_port) {
  for (const curl_socket_t socket : unnamed_) {
    const int port = LocalPort(socket);
    ports_[socket] = port;
    by_port_.emplace(port, socket);
  }
  unnamed_.clear();
  const auto [begin, end] = by_port_.equal_range(local_port);
  return std::any_of(begin, end, [](const auto& entry) {
    char byte;
    return recv(entry.second, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
  });
}

}  // namespace igpt::internal
