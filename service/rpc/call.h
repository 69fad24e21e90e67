// What all RPCs have in common, from acceptance to end.
//
// A call lives on one loop's thread. Exactly one of {a wait for iGPT, a pending write} exists at any time, and only its
// completion continues or finishes the call; the handler, a coroutine, is that token. Whatever wants to end the call
// early (the caller's cancel or deadline, a stalled reader, the drain) calls Cancel or Stop, which only make that one
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
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "grpcpp/generic/async_generic_service.h"
#include "igpt/monotonic_time.h"
#include "service/contract/call_status.h"
#include "service/observe/call_recorder.h"
#include "service/rpc/hand_over.h"
#include "service/rpc/loop.h"

namespace igptd::rpc {

class Call;

// What calls need from their server. Must outlive them. Used on their loops' threads.
struct CallEnvironment {
  absl::Duration stalled_reader_timeout;
  // Returns how the call ends if it may not reach its handler; nullopt: it may. Also parses the request, by
  // Call::ParseRequest.
  std::function<std::optional<CallStatus>(Call&)> enter;
  // Background calls don't hold up the drain: they aren't in Loop::calls().
  bool background = false;
  // Called for each call that has ended. May be empty.
  std::function<void(const CallRecord&)> on_finished = {};
  // The observer of a method's calls ("igpt.v1.RecallService/Ask"); `streams`: whether the method streams its answers.
  // Called once per method. Empty: no observer.
  std::function<CallObserver*(std::string_view method, bool streams)> observer_of = {};
};

// What a call holds from its entry to its end, such as its place among the calls in flight.
class Ticket {
 public:
  virtual ~Ticket() = default;
  // The call's status is about to be sent. After that, its caller may start another call at once.
  virtual void OnFinishing() = 0;
};

class Call {
 public:
  virtual ~Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  const grpc::GenericServerContext& context() const { return context_; }
  Loop& loop() { return loop_; }
  CallRecorder& recorder() { return recorder_; }
  CallRecord& record() { return recorder_.record(); }
  const CallRecord& record() const { return recorder_.record(); }

  // Where the call comes from, as ServerContext::peer returns it.
  std::string_view peer() const { return peer_; }

  // The caller's deadline; infinite if it has none.
  igpt::MonotonicTime deadline() const;

  // For CallEnvironment::enter. The request is empty until ParseRequest has returned OK. Calls with a stream of
  // requests have none yet.
  virtual absl::Status ParseRequest() = 0;
  virtual const google::protobuf::Message* request_message() const = 0;

  // The ticket that CallEnvironment::enter gave to the call; null: none.
  void Keep(std::unique_ptr<Ticket> ticket) { ticket_ = std::move(ticket); }
  const Ticket* ticket() const { return ticket_.get(); }

  // Sets the function that makes the wait for iGPT complete early. It runs at most once, and not after Finish; if the
  // call is stopping already, it runs at once.
  void OnStop(absl::AnyInvocable<void()> stop);
  // Whether the call has to end, whatever its handler would still do.
  bool stopping() const { return stop_ != StopCause::kNone; }

  // End the call early: because its caller has gone, or for a reason of igptd's own. At the deadline it ends by itself.
  void Cancel();
  void Stop(Refusal refusal);

 protected:
  // `observer` may be null.
  Call(Loop& loop, const CallEnvironment& environment, std::string_view method, CallObserver* observer);

  // Completes the call's first operation, on the acceptor thread. `ok` is false if the server is shutting down.
  virtual void OnAccepted(bool ok) = 0;
  // Called by OnAccepted. Everything after that happens on the loop's thread.
  void Run();
  // Lets the call in or ends it, as Enter() decides.
  virtual void Handle() = 0;
  std::optional<CallStatus> Enter() { return environment_.enter(*this); }

  // The request's size in bytes.
  virtual size_t RequestBytes() const { return 0; }

  // Called before a message is sent: counts it, and adds the initial metadata if it is the first.
  void CountMessage(bool is_event, size_t bytes);
  bool sent() const { return recorder_.sent(); }
  // Called by the subclasses around a write and at the finish.
  void WriteStarts();
  void WriteEnds(bool ok);
  virtual void OnWritten(bool ok) = 0;
  // Returns the status that the call really ends with, and adds the trailing metadata. nullopt: gRPC has ended the call
  // already, so its responder must not finish it: gRPC 1.51 would send another end, and proxies that share connections
  // take that for an error of the connection.
  std::optional<grpc::Status> FinishStarts(CallStatus status);
  void OnFinished(bool ok);

  // Makes gRPC end a call that has to stop, and with it the operation that is pending: only gRPC can end a write that
  // waits for its reader. The caller gets the code and message, without details.
  void Abandon();

  // Called when the call is created, before it is requested from gRPC: these are the tags that may come first, on other
  // threads.
  void GiveToGrpc() {
    GivenToGrpc(&done_tag_);
    GivenToGrpc(&accepted_tag_);
  }

  // What a tag points to: a member of its call that forwards the completion.
  template <void (Call::*kOnCompleted)(bool)>
  class Tag final : public Operation {
   public:
    explicit Tag(Call& call) : call_(call) {}
    void OnCompleted(bool ok) override { (call_.*kOnCompleted)(ok); }

   private:
    Call& call_;
  };

  grpc::GenericServerContext context_;  // generic, because it then knows the name of an unknown method
  Tag<&Call::OnAccepted> accepted_tag_{*this};
  Tag<&Call::OnWritten> written_tag_{*this};
  Tag<&Call::OnFinished> finished_tag_{*this};

 private:
  enum class State {
    kAccepted,   // or requested: not on its loop yet
    kHandled,    // its handler is running
    kFinishing,  // its status is on the way to the caller
    kFinished,
  };
  enum class StopCause { kNone, kCallerWentAway, kDeadline, kRefusal };

  bool AtDeadline() const;
  void BeginStop(StopCause cause);
  // The status of a call that ends because of stop_; `status` itself if it ended otherwise.
  CallStatus StatusOfStop(CallStatus status) const;
  CallStatus DeadlineStatus() const;
  void OnDone(bool ok);  // gRPC reports the call as over: finished, cancelled, or past its deadline
  void End();            // nothing more is to be sent
  void ReleaseWhenOver();
  void OnStallTimer();
  void OnLastWriteTimer();

  Loop& loop_;
  const CallEnvironment& environment_;
  std::string peer_;
  std::shared_ptr<CallerConnection> connection_;  // null: unknown
  std::unique_ptr<Ticket> ticket_;
  CallRecorder recorder_;
  Tag<&Call::OnDone> done_tag_{*this};

  State state_ = State::kAccepted;
  bool done_ = false;                   // whether the done tag came, which is possible in any state
  std::optional<uint64_t> write_turn_;  // the loop's turn in which the pending write started; nullopt: none is pending
  bool cut_off_ = false;  // whether a write failed or was abandoned: then gRPC has ended the call, or is about to
  StopCause stop_ = StopCause::kNone;
  Refusal refusal_ = {};  // why the call has to stop, if the cause is a refusal
  absl::AnyInvocable<void()> on_stop_;
  igpt::EventLoop::Timer stall_timer_;       // limits how long a write waits for the reader
  igpt::EventLoop::Timer last_write_timer_;  // the same, once the call has to stop
  igpt::EventLoop::Timer deadline_timer_;
};

}  // namespace igptd::rpc
