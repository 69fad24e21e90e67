// Whether to send a request again, and when. Pure: the clock and the dice come from outside.
#pragma once

#include <optional>

#include "absl/time/time.h"
#include "igpt/internal/policy/failed_attempt.h"

namespace igpt::internal {

// Keeps retries from multiplying an outage: they are at most 20 % of recent requests, beyond a burst of 10. Not
// thread-safe; one per event loop.
class RetryBudget {
 public:
  // A call's first attempt was sent.
  void OnRequest();
  // Takes what one retry costs; false when there is not enough left.
  bool TryWithdraw();
  // How many retries it allows now.
  double left() const { return fifths_ / 5.0; }

 private:
  int fifths_ = 50;  // a request earns a fifth of a retry
};

struct RetryRules {
  int max_attempts = 3;
  absl::Duration backoff_base = absl::Milliseconds(100);
  int backoff_factor = 2;
  bool idempotent = true;  // false: only a request that never reached iGPT is sent again
};

// How long to wait before the next attempt, or nullopt when there is to be none: a lasting error, no attempts left, a
// request that must not be repeated, a wait that would take all the time that is `left`, or no budget (from which only
// a retry takes).
//
// The wait is `random` (uniform in [0, 1)) times backoff_base · backoff_factor^(attempts-1), or Retry-After when that
// is longer.
std::optional<absl::Duration> NextDelay(const RetryRules& rules, const FailedAttempt& failed, absl::Duration left,
                                        double random, RetryBudget& budget);

}  // namespace igpt::internal
