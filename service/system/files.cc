#include "service/system/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace igptd {
namespace {

constexpr size_t kMaxFileBytes = 1 << 20;
constexpr size_t kChunkBytes = 4096;

absl::Status Unreadable(const std::string& path, const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat("the file ", path, " ", why));
}

absl::StatusOr<std::string> ReadDescriptor(const std::string& path, int fd) {
  struct stat status = {};
  if (fstat(fd, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
    return Unreadable(path, "is not a regular file");
  }
  std::string text;
  std::array<char, kChunkBytes> chunk;
  for (;;) {
    const ssize_t size = read(fd, chunk.data(), chunk.size());
    if (size == 0) return text;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return Unreadable(path, absl::StrCat("can't be read: ", std::strerror(errno)));
    text.append(chunk.data(), static_cast<size_t>(size));
    if (text.size() > kMaxFileBytes) return Unreadable(path, "is over 1 MiB; this must be the wrong file");
  }
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return Unreadable(path, absl::StrCat("can't be opened: ", std::strerror(errno)));
  absl::StatusOr<std::string> text = ReadDescriptor(path, fd);
  close(fd);
  return text;
}

FileRead::FileRead(std::string path) : path_(std::move(path)) {
  std::promise<absl::StatusOr<std::string>> promise;
  contents_ = promise.get_future();
  try {
    std::thread([path = path_, promise = std::move(promise)]() mutable { promise.set_value(ReadFile(path)); }).detach();
  } catch (const std::system_error&) {
    std::promise<absl::StatusOr<std::string>> failed;
    failed.set_value(Unreadable(path_, "can't be read: there are no threads left"));
    contents_ = failed.get_future();
  }
}

bool FileRead::AwaitDone(absl::Duration limit) const {
  return contents_.wait_for(absl::ToChronoMilliseconds(limit)) == std::future_status::ready;
}

absl::StatusOr<std::string> FileRead::Await(absl::Duration limit) {
  if (!AwaitDone(limit)) return ReadTookTooLong(path_, limit);
  return Take();
}

absl::Status ReadTookTooLong(const std::string& path, absl::Duration limit) {
  return Unreadable(path, absl::StrCat("can't be read: no answer within ", absl::FormatDuration(limit),
                                       "; is what it is mounted from gone?"));
}

}  // namespace igptd
