// The files that may change while igptd serves: applies changes, and counts them.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "service/config/config.h"
#include "service/config/config_files.h"
#include "service/config/file_watch.h"
#include "service/observe/metric_family.h"
#include "service/server.h"

namespace igptd {

// Not thread-safe, unless it says so. The arguments must outlive this.
class WatchedFiles {
 public:
  WatchedFiles(const Config& config, const ConfigFiles& files, Server& server);

  // Call it about once a second: see FileWatch::Look.
  void Look();

  // Adds their metrics: of each file whether it was refused and when it was last put to use, and of those with
  // certificates when the first of them expires. Thread-safe.
  void Collect(MetricFamilies& families) const;

 private:
  struct Watched {
    Watched(std::vector<std::string> named_by, std::string what, std::vector<std::string> paths,
            FileWatch::Contents contents, std::function<absl::Status(const FileWatch::Contents&)> use)
        : flags(std::move(named_by)), watch(std::move(what), std::move(paths), std::move(contents), std::move(use)) {}

    const std::vector<std::string> flags;  // without the dashes
    FileWatch watch;
  };

  template <typename T>
  void Watch(const char* what, const FilesFor<T>& files, std::function<absl::Status(const FileWatch::Contents&)> use);
  // Remembers when the certificates in those files expire.
  void Note(const std::vector<std::string>& flags, const FileWatch::Contents& contents);

  std::deque<Watched> watched_;
  mutable std::mutex mutex_;
  std::map<std::string, absl::Time> expiries_;  // by flag; guarded by mutex_
};

}  // namespace igptd
