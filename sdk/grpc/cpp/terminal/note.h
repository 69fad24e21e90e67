// What people are told beside the answer.
#pragma once

#include <string_view>

// Prints the text and a line break to stderr, in lines that fit.
void PrintNote(std::string_view text);

// The same for what went wrong.
void PrintError(std::string_view text);
