// Follows files that may change while igptd runs: keys, certificates, callers.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "igpt/monotonic_time.h"
#include "service/system/files.h"

namespace igptd {

// Compares the files' contents, so it notices changes however they are made: in place, by a rename, or by swapping a
// symbolic link as Kubernetes does. New contents are used once two consecutive reads agree, so half-written files are
// never used. If new contents are rejected, the old ones stay in use, and the reason is logged once, as is that the
// files are good again. Not thread-safe, unless it says so.
class FileWatch {
 public:
  using Contents = std::vector<std::string>;

  // `what` names the files in the log, for example "iGPT key". `in_use` is their contents when they were first read.
  // `use` applies new contents, or returns what is wrong with them, without repeating any of them.
  FileWatch(std::string what, std::vector<std::string> paths, Contents in_use,
            std::function<absl::Status(const Contents&)> use);
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  // Reads the files and acts on changes. Call it about once a second. Returns soon even if a file can't be read at all,
  // because what it is mounted from is gone; then a later call acts on what was read.
  void Look();

  // When contents were last put to use. Thread-safe.
  absl::Time last_good() const { return absl::FromUnixNanos(last_good_nanos_); }
  // Whether what is in the files now, or that they can't be read, was the reason to keep the old. Thread-safe.
  bool refused() const { return refused_; }

 private:
  // What the files hold; nullopt: they are still being read.
  std::optional<absl::StatusOr<Contents>> Read();
  void Keep(const absl::Status& why);
  void BeGood();

  const std::string what_;
  const std::vector<std::string> paths_;
  const std::function<absl::Status(const Contents&)> use_;
  Contents in_use_;
  std::vector<FileRead> reads_;      // that are under way
  igpt::MonotonicTime reads_since_;  // when they began
  std::optional<Contents> found_;    // by the previous Look, if other than in_use_
  std::string said_;                 // the logged reason why the old contents are kept
  std::atomic<int64_t> last_good_nanos_;
  std::atomic<bool> refused_ = false;
};

}  // namespace igptd
