// Characters that nobody sees. Pure.
#pragma once

#include <string_view>

namespace igpt::internal {

// Whether the text, valid UTF-8, holds a character that can't be seen or that changes how others look: control and
// format characters (bidirectional and zero-width ones too), line and paragraph separators, blanks other than U+0020,
// what Unicode says to ignore if it can't be shown, and noncharacters.
bool HoldsInvisible(std::string_view text);

}  // namespace igpt::internal
