// Says once, to everybody who waits, that the sandbox stops.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"

namespace igptd::sandbox {

// Thread-safe.
class Stopping {
 public:
  void Notify() {
    const std::lock_guard lock(mutex_);
    notified_ = true;
    changed_.notify_all();
  }

  // Waits for so long at most; true when the sandbox stops.
  bool WaitFor(absl::Duration duration) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, absl::ToChronoMicroseconds(duration), [this] { return notified_; });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool notified_ = false;
};

}  // namespace igptd::sandbox
