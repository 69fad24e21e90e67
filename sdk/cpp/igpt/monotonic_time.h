// Moments of the clock that measures how long something takes.
#pragma once

#include <chrono>
#include <compare>

#include "absl/time/time.h"

namespace igpt::inline sdk_v1 {

// A moment of the monotonic clock: it never jumps, whatever happens to the machine's date. absl::Time is for dates.
// Sums saturate, as absl::Duration's do, so a moment can lie infinitely far ahead.
class MonotonicTime {
 public:
  MonotonicTime() = default;  // the clock's own zero
  static MonotonicTime Now() {
    return MonotonicTime(absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()));
  }
  static constexpr MonotonicTime InfinitePast() { return MonotonicTime(-absl::InfiniteDuration()); }
  static constexpr MonotonicTime InfiniteFuture() { return MonotonicTime(absl::InfiniteDuration()); }

  friend absl::Duration operator-(MonotonicTime left, MonotonicTime right) { return left.value_ - right.value_; }
  friend MonotonicTime operator+(MonotonicTime time, absl::Duration more) { return MonotonicTime(time.value_ + more); }
  MonotonicTime& operator+=(absl::Duration more) { return *this = *this + more; }

  friend bool operator==(MonotonicTime left, MonotonicTime right) { return left.value_ == right.value_; }
  friend std::weak_ordering operator<=>(MonotonicTime left, MonotonicTime right) {
    if (left.value_ < right.value_) return std::weak_ordering::less;
    return left.value_ == right.value_ ? std::weak_ordering::equivalent : std::weak_ordering::greater;
  }

 private:
  explicit constexpr MonotonicTime(absl::Duration value) : value_(value) {}

  absl::Duration value_;  // since the zero
};

}  // namespace igpt::inline sdk_v1
