// Retry-After: whatever iGPT sends, no wait is negative or longer than an hour, and dates are read correctly.
//
// Input: the current time as Unix seconds, in a line; how far ahead a well-formed date is, in a line; the header's
// value.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fuzz/input.h"
#include "fuzz/require.h"
#include "igpt/internal/call/endpoint.h"
#include "igpt/internal/policy/http_status.h"
#include "igpt/internal/policy/retry_after.h"
#include "igpt/internal/policy/retry_policy.h"

namespace igpt::internal {
namespace {

using igpt_fuzz::Require;

constexpr absl::Duration kMaxWait = absl::Hours(1);
constexpr int64_t kYear1000 = -30'610'224'000;
constexpr int64_t kYear9999 = 253'370'764'800;  // its start, so that an offset still gives a year of four digits

int64_t TakeInteger(igpt_fuzz::Input& input, int64_t min, int64_t max) {
  const std::string_view line = input.TakeLine();
  int64_t number = 0;
  if (!absl::SimpleAtoi(absl::string_view(line.data(), line.size()), &number)) return std::clamp<int64_t>(0, min, max);
  return std::clamp(number, min, max);
}

// The expected wait if the header's value is only digits.
std::optional<absl::Duration> ExpectedOfDigits(std::string_view value) {
  std::string digits(value);
  absl::StripAsciiWhitespace(&digits);
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit)) return std::nullopt;
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.size() > 4) return kMaxWait;
  int seconds = 0;
  if (!digits.empty()) Require(absl::SimpleAtoi(digits, &seconds), "four digits are a number");
  return std::min(absl::Seconds(seconds), kMaxWait);
}

void CheckDates(absl::Time now, int64_t ahead) {
  const absl::Duration wanted = std::clamp(absl::Seconds(ahead), absl::ZeroDuration(), kMaxWait);
  const absl::Time date = now + absl::Seconds(ahead);
  for (const char* form : {"%a, %d %b %E4Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %E4Y"}) {
    const auto parsed = ParseRetryAfter(absl::FormatTime(form, date, absl::UTCTimeZone()), now);
    Require(parsed.has_value() && *parsed == wanted, "an HTTP date is read as it was written");
  }
}

void CheckDelays(const FailedAttempt& failed, uint8_t salt) {
  const double random = salt / 256.0;
  const absl::Duration left = absl::Seconds(salt * 20);
  const RetryRules rules = {.max_attempts = 1 + salt % 5, .backoff_factor = 2 + salt % 7, .idempotent = salt % 2 == 0};
  RetryBudget budget;
  const std::optional<absl::Duration> delay = NextDelay(rules, failed, left, random, budget);
  if (!delay.has_value()) return;
  Require(failed.transient && failed.error.call.attempts < rules.max_attempts,
          "only failures that a retry can fix are retried");
  Require(rules.idempotent || !failed.reached, "a request that changes something is not retried once it arrived");
  Require(*delay >= absl::ZeroDuration(), "no wait is negative");
  Require(*delay < left, "no wait goes past the deadline");
  Require(*delay >= failed.error.retry_after.value_or(absl::ZeroDuration()), "Retry-After is obeyed");
}

void Test(igpt_fuzz::Input input) {
  const absl::Time now = absl::FromUnixSeconds(TakeInteger(input, kYear1000, kYear9999));
  const int64_t ahead = TakeInteger(input, -10'000'000, 10'000'000);
  const std::string_view value = input.rest();

  const std::optional<absl::Duration> wait = ParseRetryAfter(value, now);
  if (wait.has_value()) Require(*wait >= absl::ZeroDuration() && *wait <= kMaxWait, "a wait is from 0 to 1 h");
  const std::optional<absl::Duration> of_digits = ExpectedOfDigits(value);
  if (of_digits.has_value()) Require(wait == of_digits, "digits are seconds, at most 1 h of them");

  for (const int status : {429, 500, 503}) {
    ResponseHead head;
    head.status = status;
    head.retry_after = std::string(value);
    std::optional<FailedAttempt> verdict = CheckHead(kSearch.route, head, now);
    Require(verdict.has_value() && verdict->error.retry_after == wait, "a verdict has the header's wait");
    verdict->error.call.attempts = 1;
    for (const char c : value.substr(0, 8)) CheckDelays(*verdict, static_cast<uint8_t>(c));
  }
  CheckDates(now, ahead);
}

}  // namespace
}  // namespace igpt::internal

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  igpt::internal::Test({data, size});
  return 0;
}
