// The Retry-After header. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "absl/time/time.h"

namespace igpt::internal {

// The header's value (RFC 9110, section 10.2.3): seconds, or an HTTP date seen from `now`. Clamped to 0 to 1 h; nullopt
// when it is neither.
std::optional<absl::Duration> ParseRetryAfter(std::string_view value, absl::Time now);

}  // namespace igpt::internal
