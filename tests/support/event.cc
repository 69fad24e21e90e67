#include "tests/support/event.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>

#include "igpt/monotonic_time.h"

namespace igpt::testing {

Event::Event() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Event::~Event() {
  const std::lock_guard lock(setting_);
}

void Event::Set() {
  const std::lock_guard lock(setting_);
  set_.store(true, std::memory_order_release);
  const uint64_t one = 1;
  // Never read, so that it stays readable for every waiter.
  if (::write(fd_.get(), &one, sizeof one) != sizeof one) std::abort();
}

bool Event::Await(absl::Duration limit) const {
  return AwaitFd(fd(), POLLIN, limit) && IsSet();
}

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
    if (errno != EINTR) {
      std::perror("poll");
      std::abort();
    }
  }
}

}  // namespace igpt::testing
