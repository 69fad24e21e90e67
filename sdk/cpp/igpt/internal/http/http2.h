// Which libcurl can be trusted with HTTP/2.
#pragma once

#include <string>

namespace igpt::internal {

// Why the libcurl that this program runs with can't be, and what to do about it; empty: it can.
std::string Http2Problem();

}  // namespace igpt::internal
