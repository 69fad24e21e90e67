// What the sandbox does with text, on the standard's string_view (Abseil's may be another type).
#pragma once

#include <charconv>
#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace igptd::sandbox {

inline std::string_view Piece(std::string_view text) {
  return text;
}
template <std::integral Number>
std::string Piece(Number number) {
  return std::to_string(number);
}

// The pieces joined: texts and whole numbers.
template <typename... Pieces>
std::string Cat(const Pieces&... pieces) {
  std::string text;
  (text.append(Piece(pieces)), ...);
  return text;
}

// The parts between separators, trimmed of spaces; empty ones are left out.
std::vector<std::string_view> Split(std::string_view text, char separator);

std::string_view Trim(std::string_view text);
std::string Lower(std::string_view text);  // ASCII letters only
bool Contains(std::string_view text, std::string_view part);

// Every `from` replaced by its `to`; what was replaced is not looked at again. No `from` begins another.
std::string Replaced(std::string_view text,
                     std::initializer_list<std::pair<std::string_view, std::string_view>> replacements);

// Takes `prefix` off `text`; false when it isn't there.
bool Consume(std::string_view& text, std::string_view prefix);

// False when `text` isn't a number of this type, all of it.
template <typename Number>
bool ParseNumber(std::string_view text, Number& number, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size();
}

// Two hex digits.
std::string Hex(unsigned char byte);

// Whether every byte is a printable ASCII character other than the space.
bool IsVisibleAscii(std::string_view text);

// Whether the byte goes on with the character of several bytes that began before it.
inline bool IsContinuation(char byte) {
  return (byte & 0xC0) == 0x80;
}

}  // namespace igptd::sandbox
