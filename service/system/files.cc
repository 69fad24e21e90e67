#include "service/system/files.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace igptd {
namespace {

constexpr size_t kMaxFileBytes = 1 << 20;
constexpr size_t kChunkBytes = 4096;

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const auto error = [&path](const char* what, int number) {
    const std::string why = number == 0 ? "" : absl::StrCat(": ", std::strerror(number));
    return absl::InvalidArgumentError(absl::StrCat("the file ", path, " ", what, why));
  };
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return error("can't be opened", errno);
  std::string text;
  std::array<char, kChunkBytes> chunk;
  while (std::feof(file) == 0 && std::ferror(file) == 0 && text.size() <= kMaxFileBytes) {
    text.append(chunk.data(), std::fread(chunk.data(), 1, chunk.size(), file));
  }
  const int read_error = std::ferror(file) != 0 ? errno : 0;
  std::fclose(file);
  if (read_error != 0) return error("can't be read", read_error);
  if (text.size() > kMaxFileBytes) return error("is over 1 MiB; this must be the wrong file", 0);
  return text;
}

}  // namespace igptd
