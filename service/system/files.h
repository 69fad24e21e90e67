// Reads configuration files.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace igptd {

// The contents of a file. Returns INVALID_ARGUMENT if it can't be read or is over 1 MiB; the message names the file.
absl::StatusOr<std::string> ReadFile(const std::string& path);

}  // namespace igptd
