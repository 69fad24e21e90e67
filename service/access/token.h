// Bearer tokens. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace igptd {

// The SHA-256 of a bearer token. The callers file holds nothing else of it.
using TokenHash = std::array<uint8_t, 32>;

TokenHash HashToken(std::string_view token);

// An entry for the callers file, of a caller with this token. Returns INVALID_ARGUMENT for a token that can't be sent
// in metadata or is short enough to be guessed.
absl::StatusOr<std::string> MakeCallerEntry(std::string_view token);

}  // namespace igptd
