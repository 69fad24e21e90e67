#include "service/http/http_listen.h"

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "service/system/host_port.h"
#include "service/system/listening_socket.h"

namespace igptd {
namespace {

// A socket that listens on the first address of the host where it works, or -1 with errno, which is 0 without any
// address.
int ListenOnHost(const HostPort& address) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(address.host.c_str(), absl::StrCat(address.port).c_str(), &hints, &found) != 0) {
    errno = 0;
    return -1;
  }
  const AddressList addresses(found, &freeaddrinfo);
  int fd = -1;
  for (const addrinfo* each = found; each != nullptr && fd < 0; each = each->ai_next) fd = ListenOn(*each, /*flags=*/0);
  return fd;
}

}  // namespace

absl::StatusOr<ListeningSocket> Listen(const std::string& address) {
  std::optional<HostPort> host_port = ParseHostPort(address);
  if (!host_port.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot listen on \"", address, "\": give it as host:port, e.g. 127.0.0.1:0"));
  }
  const int fd = ListenOnHost(*host_port);
  if (fd < 0) {
    const int reason = errno;
    return absl::FailedPreconditionError(
        absl::StrCat("cannot listen on ", address, reason == 0 ? "" : ": ", reason == 0 ? "" : strerror(reason),
                     reason == EADDRINUSE ? "; stop what listens there, or choose another port (0 picks a free one)"
                                          : "; choose an address of this machine"));
  }
  host_port->port = static_cast<uint16_t>(PortOf(fd));
  return ListeningSocket{.fd = fd, .port = host_port->port, .authority = ToString(Reachable(*host_port))};
}

}  // namespace igptd
