// Something that happens once: a test sets it, and threads that wait for it continue.
#pragma once

#include <atomic>
#include <mutex>

#include "absl/time/time.h"
#include "tests/support/unique_fd.h"

namespace igpt::testing {

// How long tests wait for something that must happen. Generous, because only failing tests wait that long.
inline constexpr absl::Duration kWaitLimit = absl::Seconds(30);

// Thread-safe. A thread that sees the event set also sees everything that was written before Set().
class Event {
 public:
  Event();
  ~Event();  // waits for a running Set(), so a thread that has seen the event set may destroy it
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void Set();
  bool IsSet() const { return set_.load(std::memory_order_acquire); }

  // Returns false if `limit` passes first.
  [[nodiscard]] bool Await(absl::Duration limit = kWaitLimit) const;

  // For poll(): readable once the event is set.
  int fd() const { return fd_.get(); }

 private:
  std::atomic<bool> set_ = false;
  std::mutex setting_;
  UniqueFd fd_;
};

// Waits until `fd` has one of poll()'s `events`, or POLLERR or POLLHUP. Returns false if `stop` (may be null) is set or
// `limit` passes first.
[[nodiscard]] bool AwaitFd(int fd, short events, absl::Duration limit, const Event* stop = nullptr);

}  // namespace igpt::testing
