// Something that happens once: a test sets it, and a thread that waits for it goes on.
#pragma once

#include <atomic>
#include <mutex>

#include "absl/time/time.h"
#include "tests/support/unique_fd.h"

namespace igpt::testing {

// How long a test waits for something that has to happen. Generous: only a failing test ever waits that long.
inline constexpr absl::Duration kWaitLimit = absl::Seconds(30);

// Thread-safe. What was written before Set() is seen by whoever saw the event set.
class Event {
 public:
  Event();
  ~Event();  // waits for a Set() that is under way: whoever saw the event set may destroy it
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void Set();
  bool IsSet() const { return set_.load(std::memory_order_acquire); }

  // False when `limit` passed first.
  [[nodiscard]] bool Await(absl::Duration limit = kWaitLimit) const;

  // Readable once the event is set: for poll().
  int fd() const { return fd_.get(); }

 private:
  std::atomic<bool> set_ = false;
  std::mutex setting_;
  UniqueFd fd_;
};

// Waits until `fd` has one of poll()'s `events`, or POLLERR or POLLHUP. False when `stop`, if there is one, is set or
// `limit` passed first.
[[nodiscard]] bool AwaitFd(int fd, short events, absl::Duration limit, const Event* stop = nullptr);

}  // namespace igpt::testing
