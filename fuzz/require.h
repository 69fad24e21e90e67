// Checks for fuzzers: a failed check aborts the program, so that the input is kept and the stack is shown.
#pragma once

#include <string_view>

namespace igpt_fuzz {

// `what` is the property that must hold.
void Require(bool holds, std::string_view what);
// The same, and prints both texts if they differ.
void RequireEqual(std::string_view got, std::string_view wanted, std::string_view what);

// Whether the text is UTF-8, by table 3-7 of the Unicode standard.
bool IsUtf8(std::string_view text);

// Whether every byte is an ASCII character other than a control character.
bool IsPrintableAscii(std::string_view text);

}  // namespace igpt_fuzz
