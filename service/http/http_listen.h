// The socket that an HTTP server accepts connections from.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace igptd {

struct ListeningSocket {
  int fd = -1;  // the receiver's to close
  int port = 0;
  std::string authority;  // "127.0.0.1:41234", where a client on this machine finds it
};

// Listens on "host:port"; port 0 picks a free one. FAILED_PRECONDITION, INVALID_ARGUMENT: "cannot listen on …", and
// why.
absl::StatusOr<ListeningSocket> Listen(const std::string& address);

}  // namespace igptd
