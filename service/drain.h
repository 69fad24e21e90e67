// The end of a server, in order: callers are asked to leave, calls may end by themselves, and what is left is ended.
#pragma once

#include <atomic>

#include "absl/time/time.h"
#include "grpcpp/server.h"
#include "service/workers.h"

namespace igptd {

class Drain {
 public:
  // The server must not take new connections any more. Both outlive this.
  Drain(grpc::Server& server, Workers& workers) : server_(server), workers_(workers) {}

  // Asks callers to leave their connections, waits up to `timeout` for the calls that run, ends what is left with
  // SHUTTING_DOWN, and shuts gRPC's server down. All calls have ended when it returns. Once.
  void Run(absl::Duration timeout);

  // Ends what Run still waits for, now. From any thread.
  void CutShort();

 private:
  // Whether there is no call any more, which is waited for until `limit`.
  bool AwaitNoCalls(absl::Time limit);
  // Until those who were sent a GOAWAY have gone, or could have: calls that they sent before they knew of it have come.
  void AwaitDepartures(absl::Time limit);
  void EndCalls();

  grpc::Server& server_;
  Workers& workers_;
  std::atomic<bool> cut_short_ = false;
};

}  // namespace igptd
