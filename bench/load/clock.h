// The clock of the upstream's timestamps.
#pragma once

#include <cstdint>
#include <ctime>

namespace igpt::bench {

inline constexpr int64_t kSecond = 1'000'000'000;
inline constexpr int64_t kMillisecond = 1'000'000;

// Nanoseconds of CLOCK_MONOTONIC: the same for all processes of a machine.
inline int64_t Now() {
  timespec time;
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

}  // namespace igpt::bench
