#include "igpt/internal/json/surrogate.h"

#include <charconv>
#include <cstddef>
#include <cstdint>

namespace igpt::internal {
namespace {

constexpr size_t kEscapeSize = 6;  // \ud83d

// The code unit that is escaped there.
std::optional<char16_t> EscapedUnit(std::string_view escape) {
  if (escape.size() != kEscapeSize || !escape.starts_with("\\u")) return std::nullopt;
  uint16_t unit = 0;
  const auto [end, error] = std::from_chars(escape.data() + 2, escape.data() + kEscapeSize, unit, 16);
  if (error != std::errc() || end != escape.data() + kEscapeSize) return std::nullopt;
  return static_cast<char16_t>(unit);
}

}  // namespace

std::optional<char16_t> FirstLowSurrogate(std::string_view content) {
  const std::optional<char16_t> unit = EscapedUnit(content.substr(0, kEscapeSize));
  return unit && *unit >= 0xDC00 && *unit <= 0xDFFF ? unit : std::nullopt;
}

std::optional<char16_t> LastHighSurrogate(std::string_view content) {
  if (content.size() < kEscapeSize) return std::nullopt;
  const size_t begin = content.size() - kEscapeSize;
  const std::optional<char16_t> unit = EscapedUnit(content.substr(begin));
  if (!unit || *unit < 0xD800 || *unit > 0xDBFF) return std::nullopt;
  // After an odd number of backslashes this one is escaped itself.
  size_t backslashes = 0;
  while (backslashes < begin && content[begin - backslashes - 1] == '\\') ++backslashes;
  return backslashes % 2 == 0 ? unit : std::nullopt;
}

std::string JoinSurrogates(char16_t high, char16_t low) {
  const uint32_t point = 0x10000U + ((uint32_t{high} - 0xD800U) << 10) + (uint32_t{low} - 0xDC00U);
  std::string text;
  text += static_cast<char>(0xF0U | (point >> 18));
  text += static_cast<char>(0x80U | ((point >> 12) & 0x3FU));
  text += static_cast<char>(0x80U | ((point >> 6) & 0x3FU));
  text += static_cast<char>(0x80U | (point & 0x3FU));
  return text;
}

}  // namespace igpt::internal
