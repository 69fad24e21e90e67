// Waiting for a file descriptor.
#pragma once

#include "absl/time/time.h"
#include "igpt/testing/event.h"

namespace igpt::testing {

// Waits until `fd` has one of poll()'s `events`, or POLLERR or POLLHUP. Returns false if `stop` (may be null) is set or
// `limit` passes first.
[[nodiscard]] bool AwaitFd(int fd, short events, absl::Duration limit, const Event* stop = nullptr);

}  // namespace igpt::testing
