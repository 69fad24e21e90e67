// The clock that timers run on: it never jumps.
#pragma once

#include <cstdint>
#include <ctime>

namespace igpt::internal {

// Nanoseconds of CLOCK_MONOTONIC.
inline int64_t MonotonicNanos() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace igpt::internal
