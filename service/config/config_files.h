// The files that the configuration names, and their contents.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "service/access/callers.h"
#include "service/config/config.h"
#include "service/config/file_watch.h"
#include "service/edge/tls.h"

namespace igptd {

// The files of one purpose: their flags (without the dashes), paths, raw contents and parsed value. All are empty if
// the flags are not set.
template <typename T>
struct FilesFor {
  std::vector<std::string> flags;
  std::vector<std::string> paths;
  FileWatch::Contents contents;
  std::optional<T> value;
};

struct ConfigFiles {
  FilesFor<std::string> key;
  FilesFor<TlsMaterial> tls;
  FilesFor<Callers> callers;
  FilesFor<std::string> user_hash_key;
  FilesFor<std::string> igpt_authorities;
};

// Returns INVALID_ARGUMENT with every mistake in any file, in one line that never repeats their contents. Waits no
// longer than some seconds for a file that can't be read at once.
absl::StatusOr<ConfigFiles> ReadConfigFiles(const Config& config);

// Parse new contents of those files. INVALID_ARGUMENT as above.
absl::StatusOr<TlsMaterial> ParseTls(const FileWatch::Contents& contents);
absl::StatusOr<std::string> ParseIgptAuthorities(const FileWatch::Contents& contents);
absl::StatusOr<Callers> ParseCallersFile(const Config& config, const FileWatch::Contents& contents);

}  // namespace igptd
