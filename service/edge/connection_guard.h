// Watches callers' connections from outside: closes those that abuse igptd, those that nobody uses when file
// descriptors run short, and those whose peer has vanished.
//
// gRPC 1.51 buffers what a caller sends until it is a call or a message: headers, and messages of any size (gRPC checks
// its limit only on a whole message). igptd sees none of that. A ResourceQuota would end an arbitrary call, often
// another caller's. So the guard looks how many bytes have arrived on each connection that belong to nothing that igptd
// knows of. What a connection's calls do, the connection counts itself: see CallerConnection.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "igpt/monotonic_time.h"
#include "service/edge/caller_connection.h"
#include "service/edge/connections.h"

namespace igptd {

// Has a thread of its own, because gRPC can hold up the listener's: that thread starts reading a connection, and reads
// for as long as data arrives. Thread-safe.
class ConnectionGuard {
 public:
  struct Events {
    // Whether file descriptors are short, so that connections without calls have to go.
    std::function<bool()> descriptors_are_short;
    // Something arrives.
    std::function<void()> traffic;
  };

  // `connections` must outlive this. The events are called on the guard's thread.
  ConnectionGuard(const Connections& connections, Events events);
  ~ConnectionGuard();
  ConnectionGuard(const ConnectionGuard&) = delete;
  ConnectionGuard& operator=(const ConnectionGuard&) = delete;

  // A connection was opened, so there is something to watch.
  void Wake();

 private:
  struct Watched {
    uint64_t received = 0;            // bytes that TCP had received at the last look
    int64_t unclaimed = 0;            // bytes that belong to no call; decays over time
    int64_t excess = 0;               // those of them that can't be part of a request that is on its way
    igpt::MonotonicTime answered_at;  // the last look at which nothing that was sent again was unacknowledged
    igpt::MonotonicTime opened_at;    // the first look
    igpt::MonotonicTime used_at = igpt::MonotonicTime::InfinitePast();  // the last look at which it had a call
    bool ended = false;
    uint64_t look = 0;
  };
  using All = std::vector<std::shared_ptr<CallerConnection>>;

  void Run();
  void Look();
  void Count(const All& connections, absl::Duration passed);
  void EndHeaviest(const All& connections, int64_t surge);
  void EndIdle(const All& connections);
  void CutOff(CallerConnection& connection, Watched& watched, const char* why);

  const Connections& connections_;
  const Events events_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool awake_ = false;     // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_

  // Used by the thread only.
  uint64_t look_ = 0;
  igpt::MonotonicTime looked_at_ = igpt::MonotonicTime::InfinitePast();
  double offences_to_forget_ = 0;
  int64_t calm_memory_ = 0;  // follows the process's memory: down at once, up slowly
  absl::flat_hash_map<std::shared_ptr<CallerConnection>, Watched> watched_;
  std::thread thread_;
};

}  // namespace igptd
