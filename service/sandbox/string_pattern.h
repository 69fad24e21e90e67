// Texts that match a regular expression, as JSON Schema's `pattern` gives them. Pure.
#pragma once

#include <string>
#include <string_view>

namespace igptd::sandbox {

// A text that matches `pattern`, as good as it can be made without backtracking: the first alternative everywhere, and
// every repetition done `repeats` times when its bounds allow, else at the nearest bound. Look-around, backreferences
// and word boundaries are not considered. At most a few thousand characters.
std::string ExampleOf(std::string_view pattern, int repeats);

}  // namespace igptd::sandbox
