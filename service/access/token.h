// Bearer tokens. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace igptd {

// The SHA-256 of a bearer token: all that the callers file holds of it.
using TokenHash = std::array<uint8_t, 32>;

TokenHash HashToken(std::string_view token);

// The entry of a caller that is known by `token`, for the callers file. INVALID_ARGUMENT for a token that couldn't be
// sent, or could be guessed.
absl::StatusOr<std::string> MakeCallerEntry(std::string_view token);

}  // namespace igptd
