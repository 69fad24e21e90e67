#include "igpt/internal/policy/throttle.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace igpt::internal {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr int64_t kMinFailures = 100;
constexpr double kAcceptedWeight = 2;
constexpr double kMaxProbability = 0.9;
constexpr absl::Duration kMinRetryAfter = absl::Seconds(1);

}  // namespace

bool Throttle::Admit(int64_t now, double random) {
  if (random >= Probability(now)) return true;
  OnFailed(now);
  ++held_back_;
  return false;
}

void Throttle::OnAccepted(int64_t now) {
  ++Current(now).accepted;
}

void Throttle::OnFailed(int64_t now) {
  ++Current(now).failed;
}

double Throttle::Probability(int64_t now) const {
  const auto [accepted, failed] = Sum(now);
  if (failed < kMinFailures) return 0;
  const auto requests = static_cast<double>(accepted + failed);
  const double probability = (requests - kAcceptedWeight * static_cast<double>(accepted)) / (requests + 1);
  return std::clamp(probability, 0.0, kMaxProbability);
}

// Without the seconds that have gone since something was counted.
Throttle::Counts Throttle::Sum(int64_t now) const {
  const int64_t oldest = now / kNanosPerSecond - static_cast<int64_t>(kSeconds) + 1;
  Counts sum;
  for (int64_t second = std::max(oldest, second_ - static_cast<int64_t>(kSeconds) + 1); second <= second_; ++second) {
    const Counts& counts = counts_[static_cast<size_t>(second) % kSeconds];
    sum.accepted += counts.accepted;
    sum.failed += counts.failed;
  }
  return sum;
}

Throttle::Counts& Throttle::Current(int64_t now) {
  const int64_t second = now / kNanosPerSecond;
  // Those between have seen nothing; after a whole window, so have all.
  for (second_ = std::max(second_, second - static_cast<int64_t>(kSeconds)); second_ < second;) {
    counts_[static_cast<size_t>(++second_) % kSeconds] = {};
  }
  return counts_[static_cast<size_t>(second_) % kSeconds];
}

absl::Status HeldBack(const FailedAttempt& last_failure, double random) {
  Error error;
  error.kind = last_failure.error.kind == ErrorKind::kNetwork ? ErrorKind::kNetwork : ErrorKind::kUnavailable;
  error.retry_after = kMinRetryAfter * (1 + random);
  return MakeStatus(error,
                    absl::StrCat("the request was held back because most requests to iGPT are failing. The last one: ",
                                 last_failure.message));
}

}  // namespace igpt::internal
