// Values as log lines hold them. Pure.
#pragma once

#include <string>
#include <string_view>

namespace igptd {

// Appends a JSON string that shows `value`, whatever bytes it has: control characters are escaped, also those that a
// terminal would act on, and what isn't UTF-8 is replaced.
void AppendJsonString(std::string_view value, std::string& line);

// Appends `value` as it is where it is one word of visible ASCII, and else as AppendJsonString does.
void AppendTextValue(std::string_view value, std::string& line);

}  // namespace igptd
