// How wide text is on a terminal.
#pragma once

#include <string>
#include <string_view>

// How many columns the text takes on one line: most characters one, Chinese ones and emoji two, accents none.
int Columns(std::string_view text);

// The text, cut to so many columns at most. "…" stands for what is cut.
std::string Shortened(std::string_view text, int columns);
