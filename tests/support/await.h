// Waiting for what can only be looked at. What can be waited for is an Event.
#pragma once

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/support/event.h"

namespace igpt::testing {

// Looks every few milliseconds, the first time at once; false when `limit` passed first.
template <typename Condition>
[[nodiscard]] bool AwaitTrue(Condition condition, absl::Duration limit = kWaitLimit) {
  for (const absl::Time end = absl::Now() + limit; !condition(); absl::SleepFor(absl::Milliseconds(5))) {
    if (absl::Now() >= end) return false;
  }
  return true;
}

}  // namespace igpt::testing
