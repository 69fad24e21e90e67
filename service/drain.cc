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

// After the drain has ended the calls that were left, their last messages need a moment to be written.
constexpr absl::Duration kGoodbye = absl::Seconds(1);

// How long callers may take to leave their connections once the last call has ended: one on a busy machine may be late
// to learn that it should, and send a call until it does. Those that don't leave at all may not even look at them.
constexpr absl::Duration kDeparture = absl::Seconds(5);

// How often they are asked to leave. Who was in the TLS handshake at the first time has not heard it.
constexpr absl::Duration kAskAgain = absl::Milliseconds(500);

// How often to look whether calls are left.
constexpr absl::Duration kCountInterval = absl::Milliseconds(20);

}  // namespace

void Drain::Run(absl::Duration timeout) {
  const absl::Time limit = absl::Now() + timeout;
  if (SendGoaways(server_)) AwaitDepartures(limit);
  absl::Notification shut_down;
  std::thread ender([&] {
    // What is left at the end is ended here, with a status that says why, before gRPC would cut it off.
    const absl::Time end = cut_short_ ? absl::Now() : limit;
    if (!AwaitNoCalls(end)) {
      EndCalls();
      if (!AwaitNoCalls(end + kGoodbye)) {
        // A caller that doesn't even read its socket holds up what gRPC still has to write to it, and gRPC waits for
        // that, whatever it is told to cancel.
        workers_.Post([](Worker& worker) { worker.loop->BreakConnections(); });
        AwaitNoCalls(end + 2 * kGoodbye);
      }
    }
    // gRPC waits for the connections too, and some clients don't look at an idle one for as long as they live.
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

// The first look comes late enough for calls that gRPC had accepted before it stopped doing so.
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
