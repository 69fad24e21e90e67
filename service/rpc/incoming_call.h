// A call whose headers have arrived. Its method is only a name yet, and its request may still be on the way: who may
// send one is decided by the headers alone.
#pragma once

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/async_generic_service.h"
#include "igpt/monotonic_time.h"
#include "service/edge/caller_connection.h"
#include "service/rpc/loop.h"

namespace igptd::rpc {

class Acceptor;

// What gRPC knows of a call, from the request for it to its end. It becomes a Call on its loop.
class IncomingCall final {
 public:
  // `acceptor` takes it from gRPC. Both must outlive it.
  IncomingCall(Acceptor& acceptor, Loop& loop);
  ~IncomingCall();
  IncomingCall(const IncomingCall&) = delete;
  IncomingCall& operator=(const IncomingCall&) = delete;

  // Requests it from gRPC.
  void Request(grpc::AsyncGenericService& service, grpc::ServerCompletionQueue* queue);

  Loop& loop() { return loop_; }
  grpc::GenericServerContext& context() { return context_; }
  grpc::GenericServerAsyncReaderWriter& stream() { return stream_; }
  // Null if it is unknown.
  const std::shared_ptr<CallerConnection>& connection() const { return connection_; }
  igpt::MonotonicTime accepted_at() const { return accepted_at_; }

  // gRPC has handed it over. Called on the acceptor's threads.
  void Accepted(std::shared_ptr<CallerConnection> connection);
  // Its loop has taken it up.
  void Taken();

  // Nobody needs it: it is deleted when it is over. Called on its loop's thread.
  static void Discard(std::unique_ptr<IncomingCall> call);

  // Whether gRPC reports the call as over: finished, cancelled, or its connection gone. Then, or when that happens,
  // `on_over` is called, on the loop's thread.
  bool over() const { return over_; }
  void OnOver(absl::AnyInvocable<void()> on_over) { on_over_ = std::move(on_over); }

 private:
  struct AcceptedTag final : Operation {
    explicit AcceptedTag(IncomingCall& its_call) : call(its_call) {}
    void OnCompleted(bool ok) override;
    IncomingCall& call;
  };
  struct OverTag final : Operation {
    explicit OverTag(IncomingCall& its_call) : call(its_call) {}
    void OnCompleted(bool ok) override;
    IncomingCall& call;
  };

  Acceptor& acceptor_;
  Loop& loop_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_{&context_};
  AcceptedTag accepted_tag_{*this};
  OverTag over_tag_{*this};
  igpt::MonotonicTime accepted_at_;
  std::shared_ptr<CallerConnection> connection_;
  bool over_ = false;  // used on the loop's thread only
  absl::AnyInvocable<void()> on_over_;
};

}  // namespace igptd::rpc
