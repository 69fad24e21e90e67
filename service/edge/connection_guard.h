// Ends connections that only cost: floods of calls that are reset, headers without end, messages beyond any limit.
//
// gRPC 1.51 keeps for a caller what it sends until it is a whole call: calls that were reset before igptd got them,
// streams without a request, headers, and messages of any size (its limit is looked at when they are whole). None of
// that reaches igptd, nor can it be limited while the client hasn't acknowledged the server's SETTINGS; and while
// gRPC's thread has something to read from one connection, it reads no other. A ResourceQuota alone ends whatever comes
// to hand, which is often a neighbour. So igptd looks from outside at each connection: how many bytes came that are no
// part of a call that igptd was given, and how many of its calls failed.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "service/edge/caller_connection.h"
#include "service/observe/metric_values.h"

namespace igptd {

// How many calls a connection may have open.
inline constexpr int kMaxOpenStreams = 10'000;

// Has a thread of its own: gRPC can keep the listener's, which begins to read a connection, as long as there is
// something to read. Thread-safe.
class ConnectionGuard {
 public:
  ConnectionGuard();
  ~ConnectionGuard();
  ConnectionGuard(const ConnectionGuard&) = delete;
  ConnectionGuard& operator=(const ConnectionGuard&) = delete;

  // The connections to look at, as they come and go.
  void Opened(std::shared_ptr<CallerConnection> connection);
  void Closed(const std::shared_ptr<CallerConnection>& connection);

  // How many it has ended.
  int64_t ended() const { return ended_.value(); }

 private:
  using Connections = absl::flat_hash_set<std::shared_ptr<CallerConnection>>;

  struct Watched {
    uint64_t received = 0;        // by TCP, at the last look
    int64_t unclaimed = 0;        // bytes that are no part of a call; forgotten bit by bit
    int64_t lately_claimed = 0;   // bytes that are; halved with every look
    int64_t streams_started = 0;  // when it was last examined
    int64_t streams_failed = 0;
    absl::Time examined_at = absl::InfinitePast();
    bool ended = false;
    uint64_t look = 0;
  };

  void Run();
  void Look(const Connections& connections);
  void Count(const Connections& connections, absl::Duration passed);
  void EndHeaviest(const Connections& connections);
  void EndResetting(const Connections& connections);
  void End(CallerConnection& connection, Watched& watched, const char* why);

  Counter ended_;

  std::mutex mutex_;
  std::condition_variable changed_;
  Connections connections_;  // guarded by mutex_
  bool stopping_ = false;    // guarded by mutex_

  // The thread's own.
  uint64_t look_ = 0;
  absl::Time looked_at_ = absl::InfinitePast();
  int64_t calm_memory_ = 0;  // follows what the process takes: down at once, up slowly
  int64_t lost_calls_ = 0;   // started and not ended, by gRPC's count, at lost_since_
  absl::Time lost_since_ = absl::InfinitePast();
  absl::flat_hash_map<std::shared_ptr<CallerConnection>, Watched> watched_;
  std::thread thread_;
};

}  // namespace igptd
