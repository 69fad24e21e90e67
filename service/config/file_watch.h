// Follows files that may change while igptd runs: keys, certificates, callers.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace igptd {

// Compares the files' contents, so it notices changes however they are made: in place, by a rename, or by swapping a
// symbolic link as Kubernetes does. New contents are used once two consecutive reads agree, so half-written files are
// never used. If new contents are rejected, the old ones stay in use, and the reason is logged once. Not thread-safe.
class FileWatch {
 public:
  using Contents = std::vector<std::string>;

  // `what` names the files in the log, for example "iGPT key". `in_use` is their contents when they were first read.
  // `use` applies new contents, or returns what is wrong with them, without repeating any of them.
  FileWatch(std::string what, std::vector<std::string> paths, Contents in_use,
            std::function<absl::Status(const Contents&)> use);

  // Reads the files and acts on changes. Call it about once a second.
  void Look();

 private:
  void Keep(const absl::Status& why);

  const std::string what_;
  const std::vector<std::string> paths_;
  const std::function<absl::Status(const Contents&)> use_;
  Contents in_use_;
  std::optional<Contents> found_;  // by the previous Look, if other than in_use_
  std::string said_;               // the logged reason why the old contents are kept
};

}  // namespace igptd
