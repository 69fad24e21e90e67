#include "service/drain.h"

#include <grpc/grpc.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "service/edge/goaway.h"
#include "service/observe/log.h"

namespace igptd {

using igpt::MonotonicTime;

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
  const MonotonicTime limit = MonotonicTime::Now() + timeout;
  if (AskToLeave()) {
    AwaitDepartures(limit);
  } else {
    LogLine(LogLevel::kWarn, "this version of gRPC can't ask callers to leave: it cancels calls that arrive now");
  }
  std::promise<void> shut_down;
  std::thread ender([&, is_shut_down = shut_down.get_future()] {
    // End the calls that are left with a status that says why, before gRPC cuts them off.
    const MonotonicTime end = cut_short_ ? MonotonicTime::Now() : limit;
    if (!AwaitNoCalls(end)) {
      EndCalls();
      if (!AwaitNoCalls(end + kGoodbye)) {
        // If a caller doesn't read its socket, gRPC can't write what is pending, and waits for that even after a
        // cancel.
        for (const auto& connection : connections_.All()) connection->End();
        AwaitNoCalls(end + 2 * kGoodbye);
      }
    }
    // gRPC waits for connections too, and some clients never look at an idle one.
    if (is_shut_down.wait_for(absl::ToChronoMilliseconds(kCountInterval)) == std::future_status::timeout) {
      grpc_server_cancel_all_calls(server_.c_server());
    }
  });
  server_.Shutdown(std::chrono::system_clock::time_point::max());
  shut_down.set_value();
  ender.join();
}

bool Drain::AskToLeave() {
  const bool asked = SendGoaways(server_);
  workers_.EndWatches();
  return asked;
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
bool Drain::AwaitNoCalls(MonotonicTime limit) {
  do {
    absl::SleepFor(kCountInterval);
    if (workers_.CountLoad().calls == 0) return true;
  } while (MonotonicTime::Now() < limit);
  return false;
}

void Drain::AwaitDepartures(MonotonicTime limit) {
  MonotonicTime patience = MonotonicTime::Now() + kDeparture;
  MonotonicTime ask_again = MonotonicTime::Now() + kAskAgain;
  while (MonotonicTime::Now() < std::min(limit, patience) && !cut_short_) {
    if (MonotonicTime::Now() >= ask_again) {
      AskToLeave();
      ask_again = MonotonicTime::Now() + kAskAgain;
    }
    const Workers::Load load = workers_.CountLoad();
    if (load.calls > 0) patience = MonotonicTime::Now() + kDeparture;
    if (load.calls == 0 && connections_.size() == 0) return;
    absl::SleepFor(kCountInterval);
  }
}

}  // namespace igptd
