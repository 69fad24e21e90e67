#include "igpt/testing/internal/await_fd.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <iterator>

#include "igpt/monotonic_time.h"
#include "igpt/testing/internal/must.h"

namespace igpt::testing {

bool AwaitFd(int fd, short events, absl::Duration limit, const Event* stop) {
  const MonotonicTime deadline = MonotonicTime::Now() + limit;
  // poll() ignores an fd of -1.
  pollfd fds[] = {{fd, events, 0}, {stop ? stop->fd() : -1, POLLIN, 0}};
  for (;;) {
    const int64_t left = absl::ToInt64Milliseconds(absl::Ceil(deadline - MonotonicTime::Now(), absl::Milliseconds(1)));
    const int timeout =
        limit == absl::InfiniteDuration() ? -1 : static_cast<int>(std::clamp<int64_t>(left, 0, INT_MAX));
    const int ready = ::poll(fds, std::size(fds), timeout);
    if (ready >= 0) return ready > 0 && !(stop && stop->IsSet());
    if (errno != EINTR) Must(ready, "poll");
  }
}

}  // namespace igpt::testing
