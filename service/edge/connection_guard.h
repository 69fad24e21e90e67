// Closes abusive connections: floods of resets, endless headers, oversized messages. Also closes those whose peer has
// vanished.
//
// gRPC 1.51 buffers what a caller sends until it is a whole call: calls that are reset before igptd gets them, streams
// without a request, headers, and messages of any size (gRPC checks its limit only on a whole message). igptd sees none
// of that, and can't limit it while the client hasn't acknowledged the server's SETTINGS. While gRPC's thread has
// something to read from one connection, it reads from no other. A ResourceQuota would end an arbitrary call, often
// another caller's. So the guard watches each connection from outside: how many bytes arrived that belong to no call
// that igptd was given, and how many of the connection's calls failed.
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
#include "igpt/monotonic_time.h"
#include "service/edge/caller_connection.h"
#include "service/observe/metric_values.h"

namespace igptd {

// How many open calls a connection may have.
inline constexpr int kMaxOpenStreams = 10'000;

// Has a thread of its own, because gRPC can hold up the listener's: that thread starts reading a connection, and reads
// for as long as data arrives. Thread-safe.
class ConnectionGuard {
 public:
  ConnectionGuard();
  ~ConnectionGuard();
  ConnectionGuard(const ConnectionGuard&) = delete;
  ConnectionGuard& operator=(const ConnectionGuard&) = delete;

  // The connections to watch, as they come and go.
  void Opened(std::shared_ptr<CallerConnection> connection);
  void Closed(const std::shared_ptr<CallerConnection>& connection);

  // How many abusive connections it has closed.
  int64_t ended() const { return ended_.value(); }

 private:
  using Connections = absl::flat_hash_set<std::shared_ptr<CallerConnection>>;

  struct Watched {
    uint64_t received = 0;        // bytes that TCP had received at the last look
    int64_t unclaimed = 0;        // bytes that belong to no call; decays over time
    int64_t lately_claimed = 0;   // bytes that belong to a call; halved at every look
    int64_t streams_started = 0;  // when it was last examined
    int64_t streams_failed = 0;
    igpt::MonotonicTime examined_at = igpt::MonotonicTime::InfinitePast();
    igpt::MonotonicTime answered_at;  // the last look at which nothing that was sent again was unacknowledged
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

  // Used by the thread only.
  uint64_t look_ = 0;
  igpt::MonotonicTime looked_at_ = igpt::MonotonicTime::InfinitePast();
  int64_t calm_memory_ = 0;  // follows the process's memory: down at once, up slowly
  int64_t lost_calls_ = 0;   // gRPC's count of calls that started and have not ended, at lost_since_
  igpt::MonotonicTime lost_since_ = igpt::MonotonicTime::InfinitePast();
  absl::flat_hash_map<std::shared_ptr<CallerConnection>, Watched> watched_;
  std::thread thread_;
};

}  // namespace igptd
