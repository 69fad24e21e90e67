#include "igpt/testing/event.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "igpt/testing/internal/await_fd.h"
#include "igpt/testing/internal/must.h"

namespace igpt::testing {

Event::Event() : fd_(Must(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {}

Event::~Event() {
  const std::lock_guard lock(setting_);
  ::close(fd_);
}

void Event::Set() {
  const std::lock_guard lock(setting_);
  set_.store(true, std::memory_order_release);
  const uint64_t one = 1;
  // Never read, so that it stays readable for every waiter.
  if (::write(fd_, &one, sizeof one) != sizeof one) std::abort();
}

bool Event::Await(absl::Duration limit) const {
  return AwaitFd(fd_, POLLIN, limit) && IsSet();
}

}  // namespace igpt::testing
