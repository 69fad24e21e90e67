// The end of a server: asks callers to leave, lets calls end by themselves, and ends those that are left.
#pragma once

#include <atomic>

#include "absl/time/time.h"
#include "grpcpp/server.h"
#include "igpt/monotonic_time.h"
#include "service/edge/connections.h"
#include "service/workers.h"

namespace igptd {

class Drain {
 public:
  // The arguments must outlive this.
  Drain(grpc::Server& server, Workers& workers, const Connections& connections)
      : server_(server), workers_(workers), connections_(connections) {}

  // Asks callers to leave their connections, waits up to `timeout` for running calls, ends those that are left with
  // SHUTTING_DOWN, and shuts down gRPC's server. All calls have ended when it returns. The server must not accept new
  // connections any more. Call it once.
  void Run(absl::Duration timeout);

  // Ends the calls that Run still waits for, now. Thread-safe.
  void CutShort();

 private:
  // Waits until `limit` for all calls to end, and returns whether they have.
  bool AwaitNoCalls(igpt::MonotonicTime limit);
  // Waits until the callers that were sent a GOAWAY have left or have had time to, so that calls which they sent before
  // it arrived are served.
  void AwaitDepartures(igpt::MonotonicTime limit);
  // Health watches end whenever callers have been asked to leave: so they don't begin one that has ended again on the
  // same connection.
  bool AskToLeave();
  void EndCalls();

  grpc::Server& server_;
  Workers& workers_;
  const Connections& connections_;
  std::atomic<bool> cut_short_ = false;
};

}  // namespace igptd
