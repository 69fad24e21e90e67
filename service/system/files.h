// Files of the configuration, whole.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace igptd {

// What is in a file. INVALID_ARGUMENT that says why it can't be read, or that it is over 1 MiB, and names the file.
absl::StatusOr<std::string> ReadFile(const std::string& path);

}  // namespace igptd
