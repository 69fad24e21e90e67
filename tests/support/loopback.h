// Plain connections to this machine.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>

#include "tests/support/unique_fd.h"

namespace igpt::testing {

// A connection to the port on 127.0.0.1; -1 if it is refused.
inline UniqueFd ConnectToLoopback(int port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = {.sin_family = AF_INET,
                               .sin_port = htons(static_cast<uint16_t>(port)),
                               .sin_addr = {htonl(INADDR_LOOPBACK)},
                               .sin_zero = {}};
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return fd;
}

}  // namespace igpt::testing
