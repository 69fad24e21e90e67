// The files that the configuration names, and what is in them.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "service/access/callers.h"
#include "service/config/config.h"
#include "service/config/file_watch.h"
#include "service/edge/tls.h"

namespace igptd {

// The files of one purpose, as they were read and as they are meant. Without files there are neither paths nor a value.
template <typename T>
struct FilesFor {
  std::vector<std::string> paths;
  FileWatch::Contents contents;
  std::optional<T> value;
};

struct ConfigFiles {
  FilesFor<std::string> key;
  FilesFor<TlsMaterial> tls;
  FilesFor<Callers> callers;
};

// INVALID_ARGUMENT with every mistake in any of them, in one line, and without what they hold.
absl::StatusOr<ConfigFiles> ReadConfigFiles(const Config& config);

// What contents mean that the files of `config` have got. INVALID_ARGUMENT as above.
absl::StatusOr<TlsMaterial> ParseTls(const FileWatch::Contents& contents);
absl::StatusOr<Callers> ParseCallersFile(const Config& config, const FileWatch::Contents& contents);

}  // namespace igptd
