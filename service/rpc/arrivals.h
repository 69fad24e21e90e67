// The calls that wait for their loop. Connections take turns, so one that sends many delays only its own.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>

#include "absl/container/flat_hash_map.h"
#include "service/rpc/incoming_call.h"

namespace igptd::rpc {

// Thread-safe.
class Arrivals {
 public:
  // Returns whether it was empty.
  bool Push(std::unique_ptr<IncomingCall> call);

  // Null: none waits.
  std::unique_ptr<IncomingCall> Pop();

  bool empty() const { return size() == 0; }
  size_t size() const { return size_; }

 private:
  using Calls = std::deque<std::unique_ptr<IncomingCall>>;

  mutable std::mutex mutex_;
  // Both are guarded by mutex_. A connection is in both or in none.
  absl::flat_hash_map<const CallerConnection*, Calls> calls_;
  std::deque<const CallerConnection*> turns_;
  std::atomic<size_t> size_ = 0;
};

}  // namespace igptd::rpc
