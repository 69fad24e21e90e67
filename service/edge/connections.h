// The connections that callers have open.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "service/edge/caller_connection.h"

namespace igptd {

// Thread-safe.
class Connections {
 public:
  void Add(std::shared_ptr<CallerConnection> connection);
  void Remove(const std::shared_ptr<CallerConnection>& connection);

  // The connection that a call comes from, by its ServerContext::peer; null if it is unknown.
  std::shared_ptr<CallerConnection> Find(const std::string& peer) const;

  std::vector<std::shared_ptr<CallerConnection>> All() const;
  size_t size() const;

 private:
  mutable std::mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<CallerConnection>> by_peer_;  // guarded by mutex_
};

}  // namespace igptd
