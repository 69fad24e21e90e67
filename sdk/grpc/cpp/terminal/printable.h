// Text from elsewhere, made safe to print.
#pragma once

#include <string>
#include <string_view>

// A title, an answer or an error message may hold anything, and a terminal obeys escape sequences in what it prints. So
// each control character becomes U+FFFD, as does each byte that isn't UTF-8. Line feeds and tabs stay; carriage returns
// go.
std::string Printable(std::string_view text);

// The same on one line: white space of any length becomes one space.
std::string OneLine(std::string_view text);
