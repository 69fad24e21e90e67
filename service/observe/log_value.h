// Formats values for log lines. Pure.
#pragma once

#include <string>
#include <string_view>

namespace igptd {

// Appends `value`, which may hold any bytes, as a JSON string. Escapes control characters, including those that a
// terminal would act on, and replaces bytes that are not UTF-8.
void AppendJsonString(std::string_view value, std::string& line);

// Appends `value` as it is if it is one word of visible ASCII, otherwise as AppendJsonString does.
void AppendTextValue(std::string_view value, std::string& line);

}  // namespace igptd
