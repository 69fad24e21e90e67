// An event loop that is also the gRPC completion queue of the calls on it.
//
// The queue has no file descriptor, so the loop looks at it in every turn. A write completes within the call that
// starts it unless flow control holds it back; a cancel comes whenever it comes. While either can, the loop never
// sleeps for long; with no call on it, it sleeps until it is woken.
#pragma once

#include <memory>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/completion_queue.h"
#include "igpt/event_loop.h"

namespace igptd::rpc {

class ServerCall;

// What the tag of an operation on a queue points to.
class Operation {
 public:
  // `ok` as grpc::CompletionQueue::Next gives it.
  virtual void OnCompleted(bool ok) = 0;

 protected:
  ~Operation() = default;
};

class Loop final : private igpt::EventLoop::WorkSource {
 public:
  static absl::StatusOr<std::unique_ptr<Loop>> Create();
  // All calls must have ended.
  ~Loop() override;

  igpt::EventLoop& events() { return *events_; }
  grpc::CompletionQueue* queue() { return &queue_; }

  // The rest is for ServerCall, on the loop's thread.

  // An operation's tag is going to come out of the queue. `soon`: it waits for nothing but flow control.
  void Started(bool soon);
  // It came. Poll counts it; this tells that it was a soon one.
  void SoonCompleted() { --soon_; }

  // The calls that live on this loop.
  absl::flat_hash_set<ServerCall*>& calls() { return calls_; }

 private:
  Loop() = default;
  bool Poll() override;
  absl::Duration MaxSleep() const override;

  grpc::CompletionQueue queue_;
  int outstanding_ = 0;
  int soon_ = 0;
  absl::flat_hash_set<ServerCall*> calls_;
  std::unique_ptr<igpt::EventLoop> events_;
};

}  // namespace igptd::rpc
