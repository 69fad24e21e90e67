// Bearer tokens. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace igptd {

// The SHA-256 of a bearer token. The callers file holds nothing else of it.
using TokenHash = std::array<uint8_t, 32>;

TokenHash HashToken(std::string_view token);

// A token in the callers file.
struct Token {
  TokenHash hash = {};
  absl::Time not_after = absl::InfiniteFuture();  // the last moment at which it counts, by the wall clock
};

// An entry for the callers file, of a caller with this token, which may do as little as possible and ends after 90
// days. Returns INVALID_ARGUMENT for a token that can't be sent in metadata or is short enough to be guessed.
absl::StatusOr<std::string> MakeCallerEntry(std::string_view token, absl::Time now);

}  // namespace igptd
