// What fuzzers say when a promise is broken: they end the program, so that the input is kept and the stack is shown.
#pragma once

#include <string_view>

namespace igpt_fuzz {

// `what` is the promise.
void Require(bool holds, std::string_view what);
// The same, and shows both texts when they differ.
void RequireEqual(std::string_view got, std::string_view wanted, std::string_view what);

// Whether the text is UTF-8, byte by byte as table 3-7 of the Unicode standard has it.
bool IsUtf8(std::string_view text);

// Whether every byte is an ASCII character other than a control character.
bool IsPrintableAscii(std::string_view text);

}  // namespace igpt_fuzz
