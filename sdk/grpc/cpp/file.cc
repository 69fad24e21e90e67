#include "file.h"

#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!(text << file.rdbuf())) return absl::InvalidArgumentError(absl::StrCat(path, " is empty or cannot be read"));
  return text.str();
}
