#include "igpt/internal/http/open_sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
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
  if (!multiplexed_.empty()) multiplexed_.erase(LocalPort(socket));
  if (const auto found = ports_.find(socket); found != ports_.end()) {
    const auto [begin, end] = by_port_.equal_range(found->second);
    by_port_.erase(std::find_if(begin, end, [socket](const auto& entry) { return entry.second == socket; }));
    ports_.erase(found);
  }
  return close(socket);
}

void OpenSockets::BeginUse(int local_port) {
  if (++requests_[local_port] > 1) SetMultiplexed(local_port);
}

void OpenSockets::EndUse(int local_port) {
  const auto found = requests_.find(local_port);
  if (--found->second == 0) requests_.erase(found);
}

void OpenSockets::NameAll() {
  for (const curl_socket_t socket : unnamed_) {
    const int port = LocalPort(socket);
    ports_[socket] = port;
    by_port_.emplace(port, socket);
  }
  unnamed_.clear();
}

absl::Duration OpenSockets::SilentFor(int local_port) {
  NameAll();
  const auto found = by_port_.find(local_port);
  tcp_info info = {};
  socklen_t size = sizeof(info);
  if (found == by_port_.end() || getsockopt(found->second, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) {
    return absl::ZeroDuration();
  }
  return absl::Milliseconds(info.tcpi_last_data_recv);
}

bool OpenSockets::HasInput(int local_port) {
  NameAll();
  const auto [begin, end] = by_port_.equal_range(local_port);
  return std::any_of(begin, end, [](const auto& entry) {
    char byte;
    return recv(entry.second, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
  });
}

}  // namespace igpt::internal
