// Waits for a condition by polling it. Use an Event wherever something can set one.
#pragma once

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "igpt/monotonic_time.h"
#include "igpt/testing/event.h"

namespace igpt::testing {

// Checks the condition now and then every few milliseconds. Returns false if `limit` passes first.
template <typename Condition>
[[nodiscard]] bool AwaitTrue(Condition condition, absl::Duration limit = kWaitLimit) {
  for (const MonotonicTime end = MonotonicTime::Now() + limit; !condition(); absl::SleepFor(absl::Milliseconds(5))) {
    if (MonotonicTime::Now() >= end) return false;
  }
  return true;
}

}  // namespace igpt::testing
