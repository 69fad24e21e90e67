// What every RPC is, whatever its messages: from its acceptance to its end.
//
// A call lives on one loop's thread. Exactly one of {a wait for iGPT, a pending write} exists at any time, and only its
// completion goes on or finishes the call; its handler, a coroutine, is that token. Whatever wants to end the call
// early (the caller's cancel or deadline, a reader that stalls, the drain) calls Stop, which only makes that one
// operation complete. So nothing is finished twice, and nothing is freed early.
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
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpcpp/server_context.h"
#include "service/errors/errors.h"
#include "service/limits/admission.h"
#include "service/rpc/hand_over.h"
#include "service/rpc/loop.h"
#include "service/rpc/trace_context.h"

namespace igptd {
struct Caller;
}  // namespace igptd

namespace igptd::rpc {

class ServerCall;

// What is known of a call when it has ended: for logs and metrics. Holds nothing that a user wrote, but for the trace's
// state.
struct CallRecord {
  std::string_view method;  // "igpt.v1.RecallService/Ask"
  std::string request_id;
  TraceContext trace;
  std::string caller;     // its name in the callers file; empty: not known
  std::string user_hash;  // set by the handler
  grpc::StatusCode code = grpc::StatusCode::OK;
  igpt::v1::ErrorReason reason = igpt::v1::ERROR_REASON_UNSPECIFIED;
  absl::Duration duration;                    // from its acceptance
  absl::Duration waited;                      // of that, for iGPT, or for the caller to read
  std::optional<absl::Duration> first_event;  // from the start to the first event
  int64_t events = 0;                         // written, without heartbeats
  int64_t bytes = 0;                          // written
  std::shared_ptr<int> attempts;              // requests to iGPT; null: it came to none
};

// Is told of an RPC's calls on one loop, on that loop's thread unless it says otherwise. Must not block.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  // A call was accepted, and is on its way to its loop. On the thread of the server's queue.
  virtual void OnAccepted() = 0;
  // The loop has it, after so long.
  virtual void OnStarted(absl::Duration waited) = 0;
  // An event of it is about to be written, so long after its acceptance if it is the first, else after the one before.
  virtual void OnEvent(bool first, absl::Duration after) = 0;
  // It ends: before the caller can know.
  virtual void OnEnding(const CallRecord& record) = 0;
};

// What calls need to know of the server that they are part of. Outlives them. Used on their loops' threads.
struct CallEnvironment {
  absl::Duration stalled_reader_timeout;
  std::function<void(const CallRecord&)> on_finished;
  bool background = false;  // the calls are no reason for the server to stay: they aren't among Loop::calls()
  // Whether a call may begin, looked at before its request is parsed: how it ends when it may not. Empty: all may.
  std::function<std::optional<CallStatus>(ServerCall&)> admit = {};
  // Who observes the calls of a method ("igpt.v1.RecallService/Ask"), which streams its answers or doesn't: asked once
  // for each. Empty: nobody.
  std::function<CallObserver*(std::string_view method, bool streams)> observer_of = {};
};

// What a call's metadata may take. gRPC has a limit too, but holds only those to it who have acknowledged it.
inline constexpr size_t kMaxMetadataBytes = 8 << 10;

// The end of a call whose caller went away.
CallStatus CancelledByCaller();

class ServerCall {
 public:
  virtual ~ServerCall() = default;
  ServerCall(const ServerCall&) = delete;
  ServerCall& operator=(const ServerCall&) = delete;

  const grpc::ServerContext& context() const { return context_; }
  Loop& loop() { return loop_; }
  CallRecord& record() { return record_; }
  const CallRecord& record() const { return record_; }

  // Who calls. Null: nobody asked, or nobody that is known.
  const Caller* caller() const { return caller_.get(); }
  void SetCaller(std::shared_ptr<const Caller> caller) { caller_ = std::move(caller); }

  // Where the call comes from, as ServerContext::peer says it.
  std::string_view peer() const { return peer_; }

  // For CallEnvironment::admit: what the call keeps to its end, or what its caller is told beside that it may not
  // begin.
  void Keep(Admission::Permit permit) { permit_ = std::move(permit); }
  void AddTrailer(const std::string& name, const std::string& value) { context_.AddTrailingMetadata(name, value); }

  // The caller's deadline; infinite when it has none.
  absl::Time deadline() const;

  // What makes the wait for iGPT complete, early; run at most once, and not after Finish. Run at once when the call is
  // already to stop.
  void OnStop(absl::AnyInvocable<void()> stop);
  bool stopping() const { return stopping_; }

  // Around a wait for iGPT: what is neither such a wait nor one for the caller is igptd's own time.
  void WaitStarts() { wait_started_at_ = absl::Now(); }
  void WaitEnds() { record_.waited += absl::Now() - wait_started_at_; }

  // Ends the call early, for `refusal` or, without one, because the caller went away.
  void Stop(std::optional<Refusal> refusal);

 protected:
  // `observer` may be null.
  ServerCall(Loop& loop, const CallEnvironment& environment, std::string_view method, CallObserver* observer);

  // The call's first operation, on the thread of the server's queue. `ok` is false when the server shuts down.
  virtual void OnAccepted(bool ok) = 0;
  // Called by OnAccepted: everything after it happens on the loop's thread.
  void Run();
  // Hands the call to its handler.
  virtual void Handle() = 0;
  // For Handle, first of all: how a call ends that isn't to begin, since it was cancelled while it waited for its turn,
  // has too much metadata, or is not admitted.
  std::optional<CallStatus> EndBeforeItBegins();

  // What the request takes, in bytes.
  virtual size_t RequestBytes() const { return 0; }
  // What the caller's metadata takes as HTTP/2 counts it (RFC 9113, 6.5.2): names, values and 32 bytes each.
  size_t MetadataBytes() const;

  // Before a message is sent: adds the metadata that goes with the first, and counts it.
  void CountMessage(bool is_event, size_t bytes);
  bool sent() const { return sent_; }
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
  template <void (ServerCall::*kOnCompleted)(bool)>
  class Tag final : public Operation {
   public:
    explicit Tag(ServerCall& call) : call_(call) {}
    void OnCompleted(bool ok) override { (call_.*kOnCompleted)(ok); }

   private:
    ServerCall& call_;
  };

  grpc::ServerContext context_;
  Tag<&ServerCall::OnAccepted> accepted_tag_{*this};
  Tag<&ServerCall::OnWritten> written_tag_{*this};
  Tag<&ServerCall::OnFinished> finished_tag_{*this};

 private:
  bool DeadlinePassed() const;
  void OnDone(bool ok);  // for gRPC, the call is over: finished, cancelled, or past its deadline
  void ReleaseWhenOver();
  void OnStallTimer();
  void AbandonWrite();

  Loop& loop_;
  const CallEnvironment& environment_;
  std::string peer_;
  CallObserver* const observer_;
  std::shared_ptr<Connection> connection_;  // null when it is not known
  Admission::Permit permit_;
  std::shared_ptr<const Caller> caller_;
  Tag<&ServerCall::OnDone> done_tag_{*this};

  CallRecord record_;
  absl::Time started_at_;
  absl::Time message_at_;  // the last one
  absl::Time event_at_;    // the last that is no heartbeat
  absl::Time wait_started_at_;
  uint64_t write_turn_ = 0;  // of the loop, in which the last write started
  absl::AnyInvocable<void()> stop_;
  std::optional<Refusal> refusal_;
  bool stopping_ = false;
  bool writing_ = false;
  bool sent_ = false;     // a message
  bool running_ = false;  // the handler was called
  bool finishing_ = false;
  bool finished_ = false;
  bool done_ = false;
  igpt::EventLoop::Timer stall_timer_;
};

}  // namespace igptd::rpc
