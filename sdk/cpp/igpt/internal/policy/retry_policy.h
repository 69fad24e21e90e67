// Whether to send a request again, and when. Pure: the clock and the dice come from outside.
#pragma once

#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "igpt/error.h"
#include "igpt/options.h"

namespace igpt::internal {

// Keeps an outage from being multiplied: retries are at most 20 % of recent requests, beyond a burst of 10. Not
// thread-safe; one per event loop.
class RetryBudget {
 public:
  // A call's first attempt was sent.
  void OnRequest();
  // Takes what one retry costs; false when there is not enough.
  bool TryWithdraw();
  // How many retries there is enough for.
  double left() const { return fifths_ / 5.0; }

 private:
  int fifths_ = 50;  // a request earns a fifth of a retry
};

// Where an attempt failed, as far as repeating it goes.
struct FailedAttempt {
  Error error;             // what the call would fail with
  bool transient = false;  // network errors, 429, 500, 502, 503, 504: another try can succeed
  bool reached = true;     // the request may have reached iGPT; false only when that is proven
};

struct RetryRules {
  int max_attempts = 3;
  absl::Duration backoff_base = absl::Milliseconds(100);
  int backoff_factor = 2;
  bool idempotent = true;  // false (Authorize, Disconnect): only what never reached iGPT is sent again
};

// How long to wait before the next attempt, or nullopt when there is to be none: a lasting error, no attempts left, a
// request that must not be repeated, a wait that would end at or past `deadline`, or no budget (which is taken from
// only when the answer is a wait).
//
// The wait is `random` (uniform in [0, 1)) times backoff_base · backoff_factor^(attempts-1), or Retry-After when that
// is longer.
std::optional<absl::Duration> NextDelay(const RetryRules& rules, const FailedAttempt& failed, absl::Time now,
                                        absl::Time deadline, double random, RetryBudget& budget);

// A Retry-After header's value (RFC 9110, section 10.2.3): seconds, or an HTTP date seen from `now`. Clamped to at
// least 0 and at most 1 h; nullopt when it is neither.
std::optional<absl::Duration> ParseRetryAfter(std::string_view value, absl::Time now);

}  // namespace igpt::internal
