// Halves of characters in JSON strings: outside the BMP, a character is escaped as two surrogates. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace igpt::internal {

// `content` is what is between the quotes of a valid string.
//
// The low surrogate that it begins with, which has no other half here.
std::optional<char16_t> FirstLowSurrogate(std::string_view content);
// The high surrogate that it ends with, which has no other half here.
std::optional<char16_t> LastHighSurrogate(std::string_view content);

// The character of two surrogates, in UTF-8.
std::string JoinSurrogates(char16_t high, char16_t low);

}  // namespace igpt::internal
