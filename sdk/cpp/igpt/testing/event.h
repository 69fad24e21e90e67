// Something that happens once: a test sets it, and threads that wait for it continue.
#pragma once

#include <atomic>
#include <mutex>

#include "absl/time/time.h"

namespace igpt::testing {

// How long tests wait for something that must happen. Generous, because only failing tests wait that long.
inline constexpr absl::Duration kWaitLimit = absl::Seconds(30);

// Thread-safe. A thread that sees the event set also sees everything that was written before Set().
class Event {
 public:
  Event();   // ends the program when no file descriptor is left
  ~Event();  // waits for a running Set(), so a thread that has seen the event set may destroy it
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void Set();
  bool IsSet() const { return set_.load(std::memory_order_acquire); }

  // Returns false if `limit` passes first.
  [[nodiscard]] bool Await(absl::Duration limit = kWaitLimit) const;

  // For poll(): readable once the event is set. Closed with the event.
  int fd() const { return fd_; }

 private:
  std::atomic<bool> set_ = false;
  std::mutex setting_;
  const int fd_;
};

}  // namespace igpt::testing
