#include "service/drain.h"

#include <grpc/grpc.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "service/edge/goaway.h"

namespace igptd {
namespace {

// How long the last messages of calls that the drain ended may take to be written.
constexpr absl::Duration kGoodbye = absl::Seconds(1);

// How long callers may take to leave once the last call has ended: a caller on a busy machine reads the GOAWAY late,
// and may send calls until then. Some callers never look at idle connections, so they never leave.
constexpr absl::Duration kDeparture = absl::Seconds(5);

// How often callers are asked to leave, since connections in their TLS handshake miss a GOAWAY.
constexpr absl::Duration kAskAgain = absl::Milliseconds(500);

// How often to check whether calls are left.
constexpr absl::Duration kCountInterval = absl::Milliseconds(20);

}  // namespace

void Drain::Run(absl::Duration timeout) {
  const absl::Time limit = absl::Now() + timeout;
  if (SendGoaways(server_)) AwaitDepartures(limit);
  absl::Notification shut_down;
  std::thread ender([&] {
    // End the calls that are left with a status that says why, before gRPC cuts them off.
    const absl::Time end = cut_short_ ? absl::Now() : limit;
    if (!AwaitNoCalls(end)) {
      EndCalls();
      if (!AwaitNoCalls(end + kGoodbye)) {
        // If a caller doesn't read its socket, gRPC can't write what is pending, and waits for that even after a
        // cancel.
        workers_.Post([](Worker& worker) { worker.loop->BreakConnections(); });
        AwaitNoCalls(end + 2 * kGoodbye);
      }
    }
    // gRPC waits for connections too, and some clients never look at an idle one.
    if (!shut_down.WaitForNotificationWithTimeout(kCountInterval)) grpc_server_cancel_all_calls(server_.c_server());
  });
  server_.Shutdown(std::chrono::system_clock::time_point::max());
  shut_down.Notify();
  ender.join();
}

void Drain::CutShort() {
  cut_short_ = true;
  EndCalls();
}

void Drain::EndCalls() {
  workers_.Post([](Worker& worker) {
    const std::vector<rpc::Call*> calls(worker.loop->calls().begin(), worker.loop->calls().end());
    for (rpc::Call* call : calls) call->Stop(Refusal::kShuttingDown);
  });
}

// Sleeps first, so that calls which gRPC accepted before it stopped accepting are counted.
bool Drain::AwaitNoCalls(absl::Time limit) {
  do {
    absl::SleepFor(kCountInterval);
    if (workers_.CountLoad().calls == 0) return true;
  } while (absl::Now() < limit);
  return false;
}

void Drain::AwaitDepartures(absl::Time limit) {
  absl::Time patience = absl::Now() + kDeparture;
  absl::Time ask_again = absl::Now() + kAskAgain;
  while (absl::Now() < std::min(limit, patience) && !cut_short_) {
    if (absl::Now() >= ask_again) {
      SendGoaways(server_);
      ask_again = absl::Now() + kAskAgain;
    }
    const Workers::Load load = workers_.CountLoad();
    if (load.calls > 0) patience = absl::Now() + kDeparture;
    if (load.calls == 0 && load.connections == 0) return;
    absl::SleepFor(kCountInterval);
  }
}

}  // namespace igptd
