#include "igpt/internal/json/scalar.h"

#include <charconv>
#include <cmath>
#include <system_error>

#include "absl/strings/ascii.h"

namespace igpt::internal {
namespace {

bool Consume(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

// Takes the digits at the front of `text`.
std::string_view ConsumeDigits(std::string_view& text) {
  size_t count = 0;
  while (count < text.size() && absl::ascii_isdigit(text[count])) ++count;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

// The code unit of \uXXXX: takes four hex digits at the front of `text`.
std::optional<uint32_t> ConsumeHex4(std::string_view& text) {
  constexpr size_t kDigits = 4;
  if (text.size() < kDigits) return std::nullopt;
  uint32_t unit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + kDigits, unit, 16);
  if (error != std::errc() || end != text.data() + kDigits) return std::nullopt;
  text.remove_prefix(kDigits);
  return unit;
}

bool IsHighSurrogate(uint32_t unit) {
  return unit >= 0xD800 && unit < 0xDC00;
}

bool IsLowSurrogate(uint32_t unit) {
  return unit >= 0xDC00 && unit < 0xE000;
}

void AppendUtf8(uint32_t code_point, std::string* out) {
  const auto tail = [code_point](int shift) { return static_cast<char>(0x80 | (code_point >> shift & 0x3F)); };
  if (code_point < 0x80) {
    *out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    *out += {static_cast<char>(0xC0 | code_point >> 6), tail(0)};
  } else if (code_point < 0x10000) {
    *out += {static_cast<char>(0xE0 | code_point >> 12), tail(6), tail(0)};
  } else {
    *out += {static_cast<char>(0xF0 | code_point >> 18), tail(12), tail(6), tail(0)};
  }
}

// Takes what follows \u, and the second half of a surrogate pair with it.
Unescaped UnescapeUnicode(std::string_view& text, std::string* out) {
  const std::optional<uint32_t> unit = ConsumeHex4(text);
  if (!unit) return Unescaped::kMalformed;
  if (IsHighSurrogate(*unit)) {
    std::string_view rest = text;
    const std::optional<uint32_t> low = Consume(rest, "\\u") ? ConsumeHex4(rest) : std::nullopt;
    if (low && IsLowSurrogate(*low)) {
      text = rest;
      AppendUtf8(0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00), out);
      return Unescaped::kExact;
    }
  }
  const bool lone = IsHighSurrogate(*unit) || IsLowSurrogate(*unit);
  AppendUtf8(lone ? 0xFFFD : *unit, out);
  return lone ? Unescaped::kReplaced : Unescaped::kExact;
}

}  // namespace

bool IsJsonNumber(std::string_view text) {
  Consume(text, "-");
  const std::string_view whole = ConsumeDigits(text);
  if (whole.empty() || (whole.size() > 1 && whole.front() == '0')) return false;
  if (Consume(text, ".") && ConsumeDigits(text).empty()) return false;
  if (Consume(text, "e") || Consume(text, "E")) {
    if (!Consume(text, "+")) Consume(text, "-");
    if (ConsumeDigits(text).empty()) return false;
  }
  return text.empty();
}

std::optional<int64_t> ToInt64(std::string_view number) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
  return value;
}

std::optional<double> ToDouble(std::string_view number) {
  double value = 0;
  if (std::from_chars(number.data(), number.data() + number.size(), value).ec != std::errc()) return std::nullopt;
  return value;
}

std::optional<DecimalDuration> ToDuration(std::string_view number, absl::Duration unit) {
  if (number.find_first_of("eE") != number.npos) {
    const std::optional<double> count = ToDouble(number);
    if (!count || std::abs(*count) > 0x1p62) return std::nullopt;
    return DecimalDuration{*count * unit, false};
  }
  const bool negative = Consume(number, "-");
  const std::optional<int64_t> whole = ToInt64(ConsumeDigits(number));
  if (!whole) return std::nullopt;
  DecimalDuration duration{*whole * unit, true};

  Consume(number, ".");
  int64_t place = absl::ToInt64Nanoseconds(unit);  // what a digit at this place counts, in nanoseconds
  for (; !number.empty() && place >= 10; number.remove_prefix(1)) {
    place /= 10;
    duration.value += absl::Nanoseconds((number.front() - '0') * place);
  }
  if (number.find_first_not_of('0') != number.npos) duration.exact = false;
  if (negative) duration.value = -duration.value;
  return duration;
}

Unescaped UnescapeJson(std::string_view content, std::string* out) {
  Unescaped result = Unescaped::kExact;
  out->clear();
  out->reserve(content.size());  // unescaped, it is never longer
  while (true) {
    const size_t backslash = content.find('\\');
    out->append(content.substr(0, backslash));
    if (backslash == content.npos) return result;
    content.remove_prefix(backslash + 1);
    if (content.empty()) return Unescaped::kMalformed;

    const char escape = content.front();
    content.remove_prefix(1);
    if (escape == 'u') {
      const Unescaped unicode = UnescapeUnicode(content, out);
      if (unicode == Unescaped::kMalformed) return unicode;
      if (unicode == Unescaped::kReplaced) result = unicode;
      continue;
    }
    constexpr std::string_view kEscapes = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const size_t which = kEscapes.find(escape);
    if (which == kEscapes.npos) return Unescaped::kMalformed;
    *out += kMeanings[which];
  }
}

std::string_view LastHalf(std::string_view content) {
  constexpr size_t kEscapeSize = 6;  // \ud83d
  if (content.size() < kEscapeSize) return {};
  const size_t begin = content.size() - kEscapeSize;
  std::string_view digits = content.substr(begin);
  if (!Consume(digits, "\\u") || !IsHighSurrogate(ConsumeHex4(digits).value_or(0))) return {};
  // After an odd number of backslashes this one is escaped itself.
  const size_t other = content.substr(0, begin).find_last_not_of('\\');
  const size_t backslashes = other == content.npos ? begin : begin - other - 1;
  return backslashes % 2 == 0 ? content.substr(begin) : std::string_view();
}

}  // namespace igpt::internal
