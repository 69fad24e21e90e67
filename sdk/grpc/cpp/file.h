// Reads whole files.
#pragma once

#include <string>

#include "absl/status/statusor.h"

// The contents of a file, exactly. An error names the file.
absl::StatusOr<std::string> ReadFile(const std::string& path);
