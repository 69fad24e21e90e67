// An event loop that is also the gRPC completion queue of the calls on it.
//
// The queue has no file descriptor to wait on, so the loop polls it. A write completes within the turn that starts it
// unless flow control holds it back; a cancel can come at any time. While either is possible, the loop never sleeps for
// long. Without calls it sleeps until it is woken.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/completion_queue.h"
#include "igpt/unstable/event_loop.h"
#include "service/edge/caller_connection.h"
#include "service/rpc/receiving.h"

namespace igptd::rpc {

class Arrivals;
class Call;
class IncomingCall;
class Methods;

// What the tag of an operation on a queue points to.
class Operation {
 public:
  // `ok` is as grpc::CompletionQueue::Next returns it.
  virtual void OnCompleted(bool ok) = 0;

 protected:
  ~Operation() = default;
};

class Loop final : private igpt::unstable::EventLoop::WorkSource {
 public:
  static absl::StatusOr<std::unique_ptr<Loop>> Create();
  // All calls must have ended.
  ~Loop() override;

  igpt::unstable::EventLoop& events() { return *events_; }
  grpc::CompletionQueue* queue() { return &queue_; }

  // Sets how its calls are served, on its thread. To be set before the first call arrives; `methods` must outlive them.
  void Serve(const Methods& methods) { methods_ = &methods; }

  // A call that lives on this loop from now on. Thread-safe.
  void Arrive(std::unique_ptr<IncomingCall> call);
  // How many have arrived and wait. Thread-safe.
  size_t waiting() const;

  // The rest is for Call, and only on the loop's thread.

  // An operation was started, so its tag will come out of the queue. `soon`: only flow control can hold it back.
  void Started(bool soon);
  // An operation that was not started as `soon` is from now on.
  void ExpectSoon();
  // A `soon` operation completed. Poll itself counts completions.
  void SoonCompleted() { --soon_; }

  // How many operations have been started and not completed.
  int outstanding() const { return outstanding_; }

  // The calls that live on this loop.
  absl::flat_hash_set<Call*>& calls() { return calls_; }

  // The requests that are being received.
  Receiving& receiving() { return receiving_; }

  // Counts the loop's turns.
  uint64_t turn() const { return turn_; }

  // Corks the connection until the end of the turn, if the turn has work for several calls.
  void Cork(std::shared_ptr<CallerConnection> connection);

 private:
  Loop();
  bool Poll() override;
  bool PollQueue();
  bool TakeArrivals();
  absl::Duration MaxSleep() const override;
  void BeginTurn(int ready) override {
    busy_ = ready > 1;
    ++turn_;
  }
  void EndTurn() override;

  grpc::CompletionQueue queue_;
  int outstanding_ = 0;
  int soon_ = 0;
  bool expecting_ = false;                           // an operation was started that may have completed already
  std::chrono::steady_clock::time_point looked_at_;  // when the queue was last found empty
  absl::flat_hash_set<Call*> calls_;
  bool busy_ = false;  // the turn has work for more than one call
  uint64_t turn_ = 0;
  Receiving receiving_;
  const std::unique_ptr<Arrivals> arrivals_;
  const Methods* methods_ = nullptr;
  std::vector<std::shared_ptr<CallerConnection>> corked_;  // by this loop, in this turn
  std::unique_ptr<igpt::unstable::EventLoop> events_;
};

}  // namespace igptd::rpc
