#include "service/rpc/arrivals.h"

#include <utility>

namespace igptd::rpc {

bool Arrivals::Push(std::unique_ptr<IncomingCall> call) {
  const CallerConnection* connection = call->connection().get();
  const std::lock_guard lock(mutex_);
  Calls& calls = calls_[connection];
  if (calls.empty()) turns_.push_back(connection);
  calls.push_back(std::move(call));
  return size_++ == 0;
}

std::unique_ptr<IncomingCall> Arrivals::Pop() {
  if (empty()) return nullptr;  // without the lock: the loop asks in every turn
  const std::lock_guard lock(mutex_);
  if (turns_.empty()) return nullptr;
  --size_;
  const CallerConnection* connection = turns_.front();
  turns_.pop_front();
  const auto found = calls_.find(connection);
  std::unique_ptr<IncomingCall> call = std::move(found->second.front());
  found->second.pop_front();
  if (found->second.empty()) {
    calls_.erase(found);
  } else {
    turns_.push_back(connection);
  }
  return call;
}

}  // namespace igptd::rpc
