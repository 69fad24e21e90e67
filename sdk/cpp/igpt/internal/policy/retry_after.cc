#include "igpt/internal/policy/retry_after.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"

namespace igpt::internal {
namespace {

constexpr absl::Duration kMaxRetryAfter = absl::Hours(1);

bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

// The number that 1 to 4 digits write.
std::optional<int> ParseNumber(const std::string& digits) {
  int number = 0;
  if (digits.size() > 4 || !AllDigits(digits) || !absl::SimpleAtoi(digits, &number)) return std::nullopt;
  return number;
}

std::optional<int> ParseMonth(const std::string& name) {
  static constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto found = std::find(kMonths.begin(), kMonths.end(), name);
  if (found == kMonths.end()) return std::nullopt;
  return static_cast<int>(found - kMonths.begin()) + 1;
}

// Two digits are the last year of that ending that is not more than 50 years ahead (RFC 9110, section 5.6.7).
std::optional<int> ParseYear(const std::string& digits, absl::Time now) {
  const std::optional<int> number = ParseNumber(digits);
  if (!number || digits.size() == 4) return number;
  if (digits.size() != 2) return std::nullopt;
  const int latest = static_cast<int>(absl::ToCivilYear(now, absl::UTCTimeZone()).year()) + 50;
  return latest - (latest - *number) % 100;
}

// The three forms of RFC 9110, section 5.6.7, differ in the order and the separators of the same parts:
//   Sun, 06 Nov 1994 08:49:37 GMT
//   Sunday, 06-Nov-94 08:49:37 GMT
//   Sun Nov  6 08:49:37 1994
// Not absl::ParseTime, whose month names depend on the process's locale. The day's name is redundant and not read.
std::optional<absl::Time> ParseHttpDate(const std::string& text, absl::Time now) {
  std::vector<std::string> parts = absl::StrSplit(text, absl::ByAnyChar(" ,-:"), absl::SkipEmpty());
  if (parts.size() == 7) parts = {parts[0], parts[2], parts[1], parts[6], parts[3], parts[4], parts[5], "GMT"};
  if (parts.size() != 8 || parts[7] != "GMT") return std::nullopt;
  const auto day = ParseNumber(parts[1]), month = ParseMonth(parts[2]), year = ParseYear(parts[3], now);
  const auto hour = ParseNumber(parts[4]), minute = ParseNumber(parts[5]), second = ParseNumber(parts[6]);
  if (!day || !month || !year || !hour || !minute || !second) return std::nullopt;

  const absl::CivilSecond civil(*year, *month, *day, *hour, *minute, *second);  // carries over what is out of range
  if (civil.month() != *month || civil.day() != *day || civil.hour() != *hour || civil.minute() != *minute ||
      civil.second() != *second) {
    return std::nullopt;
  }
  return absl::FromCivil(civil, absl::UTCTimeZone());
}

}  // namespace

std::optional<absl::Duration> ParseRetryAfter(std::string_view value, absl::Time now) {
  std::string text(value);
  absl::StripAsciiWhitespace(&text);
  if (AllDigits(text)) {
    int64_t seconds = 0;
    // More digits than int64_t holds are a long wait all the same.
    if (!absl::SimpleAtoi(text, &seconds)) return kMaxRetryAfter;
    return std::min(absl::Seconds(seconds), kMaxRetryAfter);
  }
  const std::optional<absl::Time> date = ParseHttpDate(text, now);
  if (!date) return std::nullopt;
  return std::clamp(*date - now, absl::ZeroDuration(), kMaxRetryAfter);
}

}  // namespace igpt::internal
