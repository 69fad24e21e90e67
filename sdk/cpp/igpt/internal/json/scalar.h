// Numbers and strings of a JSON text, from their raw text. Pure; exact where the type allows it; else the result says
// so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace igpt::internal {

// Whether `text` is exactly one number by JSON's grammar (RFC 8259, section 6).
bool IsJsonNumber(std::string_view text);

// The value of a number by JSON's grammar.
//
// nullopt for anything with a fraction or an exponent, or out of range.
std::optional<int64_t> ToInt64(std::string_view number);
// The nearest double. nullopt when that is infinite, or when it is 0 and the number isn't.
std::optional<double> ToDouble(std::string_view number);

// A count of seconds or milliseconds (`unit`). nullopt when its whole part is beyond int64.
struct DecimalDuration {
  absl::Duration value;
  bool exact;  // false: what is finer than a nanosecond was cut off, or an exponent made it approximate
};
std::optional<DecimalDuration> ToDuration(std::string_view number, absl::Duration unit);

// What is between the quotes of a string, unescaped into `out`.
enum class Unescaped {
  kExact,
  kReplaced,   // escaped lone surrogates, which have no UTF-8, became U+FFFD
  kMalformed,  // an escape that JSON doesn't have; `out` holds what was before it
};
Unescaped UnescapeJson(std::string_view content, std::string* out);

// The escape at the end of a valid string's content that is half a character: a high surrogate. Empty: there is none.
std::string_view LastHalf(std::string_view content);

}  // namespace igpt::internal
