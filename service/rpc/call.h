// What every RPC is, whatever its messages: from its acceptance to its end.
//
// A call lives on one loop's thread. Exactly one of {a wait for iGPT, a pending write} exists at any time, and only its
// completion goes on or finishes the call; its handler, a coroutine, is that token. Whatever wants to end the call
// early (the caller's cancel or deadline, a reader that stalls, the drain) calls Cancel or Stop, which only makes that
// one operation complete. So nothing is finished twice, and nothing is freed early.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "grpcpp/server_context.h"
#include "service/contract/call_status.h"
#include "service/observe/call_recorder.h"
#include "service/rpc/hand_over.h"
#include "service/rpc/loop.h"

namespace igptd::rpc {

class Call;

// What calls need to know of the server that they are part of. Outlives them. Used on their loops' threads.
struct CallEnvironment {
  absl::Duration stalled_reader_timeout;
  // How a call ends that may not go on to its handler, nullopt: it may. Has the request parsed (Call::ParseRequest).
  std::function<std::optional<CallStatus>(Call&)> enter;
  // Background calls are no reason for the server to stay: they aren't among Loop::calls().
  bool background = false;
  // Is told of each call that has ended. Empty: nobody is.
  std::function<void(const CallRecord&)> on_finished = {};
  // Who observes the calls of a method ("igpt.v1.RecallService/Ask"), which streams its answers or doesn't: asked once
  // for each. Empty: nobody.
  std::function<CallObserver*(std::string_view method, bool streams)> observer_of = {};
};

// What a call holds from its entry to its end, whatever it is: a place among the calls in flight, and so on.
class Ticket {
 public:
  virtual ~Ticket() = default;
  // The call's status is about to be sent: its caller may start another at once.
  virtual void OnFinishing() = 0;
};

class Call {
 public:
  virtual ~Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  const grpc::ServerContext& context() const { return context_; }
  Loop& loop() { return loop_; }
  CallRecorder& recorder() { return recorder_; }
  CallRecord& record() { return recorder_.record(); }
  const CallRecord& record() const { return recorder_.record(); }

  // Where the call comes from, as ServerContext::peer says it.
  std::string_view peer() const { return peer_; }

  // The caller's deadline; infinite when it has none.
  absl::Time deadline() const;

  // For CallEnvironment::enter. The request is what the caller sent once ParseRequest said OK, and empty before; calls
  // that take a stream of requests have none yet.
  virtual absl::Status ParseRequest() = 0;
  virtual const google::protobuf::Message* request_message() const = 0;

  // What CallEnvironment::enter gave to the call; null: nothing.
  void Keep(std::unique_ptr<Ticket> ticket) { ticket_ = std::move(ticket); }
  const Ticket* ticket() const { return ticket_.get(); }

  // What makes the wait for iGPT complete, early; run at most once, and not after Finish. Run at once when the call is
  // already to stop.
  void OnStop(absl::AnyInvocable<void()> stop);
  // Whether the call is to end, whatever its handler would still do.
  bool stopping() const { return stop_ != StopCause::kNone; }

  // End the call early: because its caller went away, or for a reason of igptd's own.
  void Cancel();
  void Stop(Refusal refusal);

 protected:
  // `observer` may be null.
  Call(Loop& loop, const CallEnvironment& environment, std::string_view method, CallObserver* observer);

  // The call's first operation, on the thread of the server's queue. `ok` is false when the server shuts down.
  virtual void OnAccepted(bool ok) = 0;
  // Called by OnAccepted: everything after it happens on the loop's thread.
  void Run();
  // Lets the call in, or ends it: Enter() says which.
  virtual void Handle() = 0;
  std::optional<CallStatus> Enter() { return environment_.enter(*this); }

  // What the request takes, in bytes.
  virtual size_t RequestBytes() const { return 0; }

  // Before a message is sent: adds the metadata that goes with the first, and counts it.
  void CountMessage(bool is_event, size_t bytes);
  bool sent() const { return recorder_.sent(); }
  // Around a write, and at the finish: for the subclasses, which know how to do them.
  void WriteStarts();
  void WriteEnds();
  virtual void OnWritten(bool ok) = 0;
  // Gives the status that the call really ends with, and adds the metadata that goes with it.
  grpc::Status FinishStarts(CallStatus status);
  void OnFinished(bool ok);

  // To be called when the call is made, and before gRPC is asked for it: its done tag may come before all others.
  void GiveToGrpc() { GivenToGrpc(&done_tag_); }

  // What a tag points to: a part of its call, which hands the completion on.
  template <void (Call::*kOnCompleted)(bool)>
  class Tag final : public Operation {
   public:
    explicit Tag(Call& call) : call_(call) {}
    void OnCompleted(bool ok) override { (call_.*kOnCompleted)(ok); }

   private:
    Call& call_;
  };

  grpc::ServerContext context_;
  Tag<&Call::OnAccepted> accepted_tag_{*this};
  Tag<&Call::OnWritten> written_tag_{*this};
  Tag<&Call::OnFinished> finished_tag_{*this};

 private:
  enum class State {
    kAccepted,   // or asked for: not on its loop yet
    kHandled,    // its handler has it
    kFinishing,  // its status is on the way to the caller
    kFinished,
  };
  enum class StopCause { kNone, kCallerWentAway, kRefusal };

  bool AtDeadline() const;
  void BeginStop(StopCause cause);
  void OnDone(bool ok);  // for gRPC, the call is over: finished, cancelled, or past its deadline
  void ReleaseWhenOver();
  void OnStallTimer();
  void AbandonWrite();

  Loop& loop_;
  const CallEnvironment& environment_;
  std::string peer_;
  std::shared_ptr<CallerConnection> connection_;  // null when it is not known
  std::unique_ptr<Ticket> ticket_;
  CallRecorder recorder_;
  Tag<&Call::OnDone> done_tag_{*this};

  State state_ = State::kAccepted;
  bool done_ = false;                   // the done tag came: in any state
  std::optional<uint64_t> write_turn_;  // of the loop, in which the pending write started; nullopt: none is pending
  StopCause stop_ = StopCause::kNone;
  Refusal refusal_ = {};  // for which the call is to stop, if that is its cause
  absl::AnyInvocable<void()> on_stop_;
  igpt::EventLoop::Timer stall_timer_;       // how long the pending write may wait for the reader
  igpt::EventLoop::Timer last_write_timer_;  // how long it may once the call is to stop
};

}  // namespace igptd::rpc
