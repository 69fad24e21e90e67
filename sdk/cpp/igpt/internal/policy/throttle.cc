#include "igpt/internal/policy/throttle.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "igpt/internal/base/string_view.h"

namespace igpt::internal {
namespace {

constexpr int64_t kWindowNanos = int64_t{RequestWindow::kSeconds} * 1'000'000'000;
constexpr int32_t kMinFailures = 100;
constexpr double kAcceptedWeight = 2;
constexpr double kMaxProbability = 0.9;
constexpr absl::Duration kMinRetryAfter = absl::Seconds(1);

// Thirty in a window, so it takes four for an outage.
constexpr int32_t kPassedOnPerSecond = 3;

// Those that are not told apart.
constexpr uint64_t kOthers = 0;

// With which probability the next request is to be held back. nullopt: these requests are too few to tell.
std::optional<double> Probability(const RequestWindow::Counts& counts) {
  const double accepted = kAcceptedWeight * counts.good;
  const double requests = static_cast<double>(counts.good) + counts.bad;
  if (counts.good > 0 && accepted >= requests) return 0;
  if (counts.bad < kMinFailures) return std::nullopt;
  return std::min((requests - accepted) / (requests + 1), kMaxProbability);
}

// By the place in a Path.
constexpr std::string_view kWhose[] = {"of this user ", "of this caller ", ""};

absl::Status HeldBack(std::string_view whose, const FailedAttempt& last_failure, double random) {
  Error error;
  const ErrorKind last = last_failure.error.kind;
  error.kind = last == ErrorKind::kNetwork || last == ErrorKind::kTls ? ErrorKind::kNetwork : ErrorKind::kUnavailable;
  error.retry_after = kMinRetryAfter * (1 + random);
  return MakeStatus(error, absl::StrCat("the request was held back because most requests ", AbslView(whose),
                                        "to iGPT are failing. The last one: ", last_failure.message));
}

}  // namespace

absl::Status Throttle::Admit(Who who, int64_t now, double random) {
  const Path path = Find(who, now);
  for (size_t i = 0; i < path.size(); ++i) {
    const std::optional<double> probability = Probability(path[i]->requests.Sum(now));
    if (!probability.has_value()) continue;
    if (random >= *probability) break;
    ++held_back_;
    admissions_.AddBad(now);
    const std::shared_ptr<const FailedAttempt> last_failure = path[i]->last_failure;
    CountFailure(path, now, last_failure);
    return HeldBack(kWhose[i], *last_failure, random / *probability);
  }
  admissions_.AddGood(now);
  return absl::OkStatus();
}

void Throttle::OnAccepted(Who who, int64_t now) {
  for (Scope* const scope : Find(who, now)) scope->requests.AddGood(now);
}

void Throttle::OnFailed(Who who, int64_t now, const FailedAttempt& failed) {
  CountFailure(Find(who, now), now, std::make_shared<const FailedAttempt>(failed));
}

double Throttle::HeldBackShare(int64_t now) const {
  const auto [sent, held_back] = admissions_.Sum(now);
  return held_back == 0 ? 0 : held_back / (static_cast<double>(sent) + held_back);
}

Throttle::Path Throttle::Find(Who who, int64_t now) {
  Scope& group = Narrower(all_, who.group, now);
  return {&Narrower(group, who.user, now), &group, &all_};
}

Throttle::Scope& Throttle::Narrower(Scope& scope, uint64_t id, int64_t now) {
  auto& narrower = scope.narrower;
  auto found = narrower.find(id);
  if (found == narrower.end()) {
    if (narrower.size() >= kToldApart) {
      absl::erase_if(narrower, [now](const auto& each) { return each.second->used_at + kWindowNanos <= now; });
    }
    found = narrower.try_emplace(narrower.size() < kToldApart ? id : kOthers).first;
    if (found->second == nullptr) found->second = std::make_unique<Scope>();
  }
  found->second->used_at = now;
  return *found->second;
}

// What was held back because of a wider one counts for the narrower ones too: they know no better.
void Throttle::CountFailure(const Path& path, int64_t now, const std::shared_ptr<const FailedAttempt>& failed) {
  for (Scope* const scope : path) {
    scope->requests.AddBad(now);
    scope->last_failure = failed;
    if (scope->requests.LatestSecond().bad > kPassedOnPerSecond) return;
  }
}

}  // namespace igpt::internal
