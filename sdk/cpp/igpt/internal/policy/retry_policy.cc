#include "igpt/internal/policy/retry_policy.h"

#include <algorithm>
#include <cmath>

namespace igpt::internal {
namespace {

constexpr int kRetryCost = 5;
constexpr int kBurst = 10 * kRetryCost;

}  // namespace

void RetryBudget::OnRequest() {
  fifths_ = std::min(fifths_ + 1, kBurst);
}

bool RetryBudget::TryWithdraw() {
  if (fifths_ < kRetryCost) return false;
  fifths_ -= kRetryCost;
  return true;
}

std::optional<absl::Duration> NextDelay(const RetryRules& rules, const FailedAttempt& failed, absl::Duration left,
                                        double random, RetryBudget& budget) {
  const int attempts = failed.error.call.attempts;
  if (!failed.transient || attempts >= rules.max_attempts) return std::nullopt;
  if (!rules.idempotent && failed.reached) return std::nullopt;

  const absl::Duration backoff = rules.backoff_base * std::pow(rules.backoff_factor, attempts - 1) * random;
  const absl::Duration delay = std::max(backoff, failed.error.retry_after.value_or(absl::ZeroDuration()));
  if (delay >= left || !budget.TryWithdraw()) return std::nullopt;
  return delay;
}

}  // namespace igpt::internal
