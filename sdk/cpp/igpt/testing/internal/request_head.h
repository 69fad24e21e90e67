// The head of a request, from its bytes. Pure.
#pragma once

#include <optional>
#include <string>

#include "igpt/testing/http_message.h"

namespace igpt::testing {

// Fills everything but `connection` and `body`. `head` ends with the empty line. Returns nullopt if it is not an
// HTTP/1.1 request.
std::optional<HttpRequest> ParseHead(const std::string& head);

}  // namespace igpt::testing
