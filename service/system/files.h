// Reads configuration files.
#pragma once

#include <future>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace igptd {

// The contents of a file. Returns INVALID_ARGUMENT if it can't be read, is not a regular file (opening a FIFO would
// wait for a writer) or is over 1 MiB; the message names the file.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// The same on a thread of its own, for whoever must not wait for ever: on a dead mount, opening a file can block until
// the end of the process. Nobody waits for that thread.
class FileRead {
 public:
  explicit FileRead(std::string path);

  const std::string& path() const { return path_; }

  // Whether the file has been read, or turned out to be unreadable, by the end of `limit` from now.
  bool AwaitDone(absl::Duration limit) const;

  // Once, after AwaitDone.
  absl::StatusOr<std::string> Take() { return contents_.get(); }

  // Once, as both. Returns INVALID_ARGUMENT also if `limit` passes first.
  absl::StatusOr<std::string> Await(absl::Duration limit);

 private:
  const std::string path_;
  std::future<absl::StatusOr<std::string>> contents_;
};

// That a file could not be read within the limit.
absl::Status ReadTookTooLong(const std::string& path, absl::Duration limit);

}  // namespace igptd
