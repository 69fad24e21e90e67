#include "service/edge/connections.h"

#include <utility>

namespace igptd {

void Connections::Add(std::shared_ptr<CallerConnection> connection) {
  const std::lock_guard lock(mutex_);
  std::string peer = connection->peer();
  by_peer_[std::move(peer)] = std::move(connection);
}

void Connections::Remove(const std::shared_ptr<CallerConnection>& connection) {
  const std::lock_guard lock(mutex_);
  // A new connection from the same address and port may have taken its place already.
  const auto found = by_peer_.find(connection->peer());
  if (found != by_peer_.end() && found->second == connection) by_peer_.erase(found);
}

std::shared_ptr<CallerConnection> Connections::Find(const std::string& peer) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_peer_.find(peer);
  return found == by_peer_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<CallerConnection>> Connections::All() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<CallerConnection>> all;
  all.reserve(by_peer_.size());
  for (const auto& [peer, connection] : by_peer_) all.push_back(connection);
  return all;
}

size_t Connections::size() const {
  const std::lock_guard lock(mutex_);
  return by_peer_.size();
}

}  // namespace igptd
