#include "service/config/file_watch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "service/observe/log.h"

namespace igptd {
namespace {

using igpt::MonotonicTime;

// How long a Look waits for files that it has begun to read, which takes far less.
constexpr absl::Duration kPatience = absl::Milliseconds(100);

// From when on files that can't be read count as unreadable.
constexpr absl::Duration kReadLimit = absl::Seconds(5);

}  // namespace

FileWatch::FileWatch(std::string what, std::vector<std::string> paths, Contents in_use,
                     std::function<absl::Status(const Contents&)> use)
    : what_(std::move(what)),
      paths_(std::move(paths)),
      use_(std::move(use)),
      in_use_(std::move(in_use)),
      last_good_nanos_(absl::ToUnixNanos(absl::Now())) {}

void FileWatch::Look() {
  std::optional<absl::StatusOr<Contents>> read = Read();
  if (!read.has_value()) return;
  if (!read->ok()) {
    found_.reset();
    return Keep(read->status());
  }
  Contents& contents = **read;
  if (contents == in_use_) {
    found_.reset();
    if (refused_) Log(LogLevel::kInfo, absl::StrCat("good again: the ", what_, " in use"));
    return BeGood();
  }
  if (found_ != contents) {
    found_ = std::move(contents);
    return;
  }
  // Tried again at every Look: a certificate that isn't valid yet is accepted later.
  if (const absl::Status used = use_(contents); !used.ok()) return Keep(used);
  in_use_ = std::move(contents);
  found_.reset();
  last_good_nanos_ = absl::ToUnixNanos(absl::Now());
  BeGood();
  Log(LogLevel::kInfo, absl::StrCat("using the new ", what_));
}

std::optional<absl::StatusOr<FileWatch::Contents>> FileWatch::Read() {
  const auto now = MonotonicTime::Now();
  if (reads_.empty()) {
    reads_since_ = now;
    reads_ = std::vector<FileRead>(paths_.begin(), paths_.end());
  }
  const auto patient_until = reads_since_ + kPatience;
  for (const FileRead& read : reads_) {
    if (read.AwaitDone(std::max(absl::ZeroDuration(), patient_until - MonotonicTime::Now()))) continue;
    if (now - reads_since_ >= kReadLimit) return ReadTookTooLong(read.path(), kReadLimit);
    return std::nullopt;
  }
  absl::StatusOr<Contents> contents = Contents();
  for (FileRead& read : std::exchange(reads_, {})) {
    absl::StatusOr<std::string> text = read.Take();
    if (!contents.ok()) continue;
    if (text.ok()) {
      contents->push_back(*std::move(text));
    } else {
      contents = text.status();
    }
  }
  return contents;
}

void FileWatch::Keep(const absl::Status& why) {
  refused_ = true;
  const std::string message(why.message());
  if (said_ == message) return;
  said_ = message;
  LogLine(LogLevel::kError, absl::StrCat("keeping the old ", what_)).With("why", message);
}

void FileWatch::BeGood() {
  said_.clear();
  refused_ = false;
}

}  // namespace igptd
