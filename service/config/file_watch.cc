#include "service/config/file_watch.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "service/observe/log.h"
#include "service/system/files.h"

namespace igptd {
namespace {

absl::StatusOr<FileWatch::Contents> ReadAll(const std::vector<std::string>& paths) {
  FileWatch::Contents contents;
  for (const std::string& path : paths) {
    absl::StatusOr<std::string> text = ReadFile(path);
    if (!text.ok()) return text.status();
    contents.push_back(*std::move(text));
  }
  return contents;
}

}  // namespace

FileWatch::FileWatch(std::string what, std::vector<std::string> paths, Contents in_use,
                     std::function<absl::Status(const Contents&)> use)
    : what_(std::move(what)), paths_(std::move(paths)), use_(std::move(use)), in_use_(std::move(in_use)) {}

void FileWatch::Look() {
  absl::StatusOr<Contents> read = ReadAll(paths_);
  if (!read.ok()) {
    found_.reset();
    return Keep(read.status());
  }
  if (*read == in_use_) {
    found_.reset();
    said_.clear();
    return;
  }
  if (found_ != *read) {
    found_ = *std::move(read);
    return;
  }
  // Tried again at every Look: a certificate that isn't valid yet is accepted later.
  if (const absl::Status used = use_(*read); !used.ok()) return Keep(used);
  in_use_ = *std::move(read);
  found_.reset();
  said_.clear();
  Log(LogLevel::kInfo, absl::StrCat("using the new ", what_));
}

void FileWatch::Keep(const absl::Status& why) {
  const std::string message(why.message());
  if (said_ == message) return;
  said_ = message;
  LogLine(LogLevel::kError, absl::StrCat("keeping the old ", what_)).With("why", message);
}

}  // namespace igptd
