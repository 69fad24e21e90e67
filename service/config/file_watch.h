// Follows files that may change while igptd runs: keys, certificates, callers.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace igptd {

// Looks at what the files hold, whatever was done to them: written in place, renamed, or swapped by a symbolic link as
// Kubernetes does it. What is new is used once two looks have found the same, so that nothing is used that is still
// being written. What is refused leaves the old in use, and is said once. Used by one thread.
class FileWatch {
 public:
  using Contents = std::vector<std::string>;

  // `what` is for the log, e.g. "iGPT key"; `in_use` is what the files held when they were read first. `use` takes what
  // they hold now, or says what is wrong with it, without a word of what is in them.
  FileWatch(std::string what, std::vector<std::string> paths, Contents in_use,
            std::function<absl::Status(const Contents&)> use);

  // A look. To be called once a second or so.
  void Look();

 private:
  void Keep(const absl::Status& why);

  const std::string what_;
  const std::vector<std::string> paths_;
  const std::function<absl::Status(const Contents&)> use_;
  Contents in_use_;
  std::optional<Contents> found_;  // by the look before, when it isn't what is in use
  std::string said_;               // why the old is kept
};

}  // namespace igptd
