// UTF-8, which every string of a message has to be. Pure.
#pragma once

#include <string_view>

namespace igptd {

bool IsUtf8(std::string_view text);

}  // namespace igptd
