#include "service/http/http_listen.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace igptd {
namespace {

void SetOption(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof(value));
}

// A socket that listens there, or -1 with errno.
int ListenOn(const addrinfo& address) {
  const int fd = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  SetOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);  // and not SO_REUSEPORT: two servers would share a port in silence
  if (address.ai_family == AF_INET6) SetOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (bind(fd, address.ai_addr, address.ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

// The same for the first address of the host where it works. Without an address, errno is 0.
int ListenOn(const std::string& host, int port) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), absl::StrCat(port).c_str(), &hints, &found) != 0) {
    errno = 0;
    return -1;
  }
  int fd = -1;
  for (const addrinfo* address = found; address != nullptr && fd < 0; address = address->ai_next)
    fd = ListenOn(*address);
  const int error = errno;
  freeaddrinfo(found);
  errno = error;
  return fd;
}

int PortOf(int fd) {
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

// Other machines reach a server on every address; this one does on its loopback address.
std::string Reachable(const std::string& host) {
  if (host == "0.0.0.0") return "127.0.0.1";
  if (host == "::") return "[::1]";
  return host.find(':') == host.npos ? host : absl::StrCat("[", host, "]");
}

}  // namespace

absl::StatusOr<ListeningSocket> Listen(const std::string& address) {
  const size_t colon = address.rfind(':');
  std::string host = address.substr(0, std::min(colon, address.size()));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  int port = 0;
  if (colon == address.npos || host.empty() || !absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 0 ||
      port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot listen on \"", address, "\": give it as host:port, e.g. 127.0.0.1:0"));
  }
  const int fd = ListenOn(host, port);
  if (fd < 0) {
    const int reason = errno;
    return absl::FailedPreconditionError(
        absl::StrCat("cannot listen on ", address, reason == 0 ? "" : ": ", reason == 0 ? "" : strerror(reason),
                     reason == EADDRINUSE ? "; stop what listens there, or choose another port (0 picks a free one)"
                                          : "; choose an address of this machine"));
  }
  port = PortOf(fd);
  return ListeningSocket{.fd = fd, .port = port, .authority = absl::StrCat(Reachable(host), ":", port)};
}

}  // namespace igptd
