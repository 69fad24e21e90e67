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
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/impl/codegen/serialization_traits.h"
#include "grpcpp/support/byte_buffer.h"
#include "igpt/monotonic_time.h"
#include "service/contract/call_status.h"
#include "service/observe/call_recorder.h"
#include "service/rpc/incoming_call.h"
#include "service/rpc/loop.h"
#include "service/rpc/receiving.h"

namespace igptd::rpc {

// The largest request.
inline constexpr size_t kMaxRequestBytes = 4 << 20;

class Call;

// What calls need from their server. Must outlive them. Used on their loops' threads.
struct CallEnvironment {
  absl::Duration stalled_reader_timeout;
  // Return how the call ends if it may not go on; nullopt: it may. The first decides by the headers whether its request
  // is received, the second whether a late request is awaited, the third by the request whether it reaches its handler.
  std::function<std::optional<CallStatus>(Call&)> enter;
  std::function<std::optional<CallStatus>(Call&)> await_request;
  std::function<std::optional<CallStatus>(Call&)> check_request;
  // Background calls don't hold up the drain: they aren't in Loop::calls().
  bool background = false;
  // Called for each call that begins, once its record has its trace, and for each that has ended. May be empty.
  std::function<void(Call&)> on_started = {};
  std::function<void(const CallRecord&)> on_finished = {};
  // The observer of a method's calls ("igpt.v1.RecallService/Ask"); `streams`: whether the method streams its answers.
  // Called once per method. Empty: no observer.
  std::function<CallObserver*(std::string_view method, bool streams)> observer_of = {};
};

// What a call holds from its entry to its end, such as its place among the calls in flight.
class Ticket {
 public:
  virtual ~Ticket() = default;
  // Whose it is: the caller's name, or its network.
  virtual std::string holder() const = 0;
  // The call's request is whole, or it has none.
  virtual void OnRequest() = 0;
  // The call's status is about to be sent. After that, its caller may start another call at once.
  virtual void OnFinishing() = 0;
};

class Call {
 public:
  virtual ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Begins. It is over when it has deleted itself.
  void Start();

  const grpc::GenericServerContext& context() const { return incoming_->context(); }
  Loop& loop() { return loop_; }
  CallRecorder& recorder() { return recorder_; }
  CallRecord& record() { return recorder_.record(); }
  const CallRecord& record() const { return recorder_.record(); }

  // Where the call comes from, as ServerContext::peer returns it.
  std::string_view peer() const { return peer_; }
  // Null if it is unknown.
  CallerConnection* connection() const { return incoming_->connection().get(); }

  // The caller's deadline; infinite if it has none.
  igpt::MonotonicTime deadline() const;

  // For CallEnvironment::check_request. Calls with a stream of requests have none.
  virtual const google::protobuf::Message* request_message() const = 0;

  // The ticket that CallEnvironment::enter gave to the call; null: none.
  void Keep(std::unique_ptr<Ticket> ticket) { ticket_ = std::move(ticket); }
  Ticket* ticket() const { return ticket_.get(); }

  // Sets the function that makes the wait for iGPT complete early. It runs at most once, and not after Finish; if the
  // call is stopping already, it runs at once.
  void OnStop(absl::AnyInvocable<void()> stop);
  // Whether the call has to end, whatever its handler would still do.
  bool stopping() const { return stop_ != StopCause::kNone; }

  // End the call early: because its caller has gone, or for a reason of igptd's own. At the deadline it ends by itself.
  void Cancel();
  void Stop(Refusal refusal);

  // Ends the call, which must not be used after that.
  void Finish(CallStatus end);

 protected:
  // `observer` may be null.
  Call(std::unique_ptr<IncomingCall> incoming, const CallEnvironment& environment, std::string_view method,
       CallObserver* observer);

  // The call was let in.
  virtual void Handle() = 0;
  // Its request is whole, and was let in too. Only after ReceiveRequest.
  virtual void OnRequest() = 0;
  virtual absl::Status ParseRequest(const grpc::ByteBuffer& bytes) = 0;

  // Receives the call's only request.
  void ReceiveRequest();

  // Operations. Each completes in the function next to it, on the loop's thread; a read of a request may complete after
  // the call is finished, and then without that.
  // `soon`: it most likely has arrived, or is about to.
  void StartRead(bool soon);
  virtual void OnRead(bool ok, const grpc::ByteBuffer& bytes);
  bool reading() const { return reading_; }
  template <typename Response>
  void StartWrite(const Response& response, bool is_event, bool more);
  virtual void OnWritten(bool ok) = 0;
  // Ends the call with a last message and OK. It must not be used after that.
  template <typename Response>
  void WriteAndFinish(const Response& response);

 private:
  // What a tag points to: a member of its call that forwards the completion.
  template <void (Call::*kOnCompleted)(bool)>
  class Tag final : public Operation {
   public:
    explicit Tag(Call& call) : call_(call) {}
    void OnCompleted(bool ok) override { (call_.*kOnCompleted)(ok); }

   private:
    Call& call_;
  };

  enum class State {
    kArriving,   // its request is on the way
    kHandled,    // its handler is running
    kFinishing,  // its status is on the way to the caller
    kFinished,
  };
  enum class StopCause { kNone, kCallerWentAway, kDeadline, kRefusal };

  // Notes that these bytes of the connection belong to this call.
  void Claim(size_t bytes);
  void ReadRequest();
  void RequestOver();

  bool AtDeadline() const;
  void BeginStop(StopCause cause);
  // Makes gRPC end a call that has to stop, and with it the write that is pending: only gRPC can end a write that waits
  // for its reader. The caller gets the code and message, without details.
  void Abandon();
  // The status of a call that ends because of stop_; `status` itself if it ended otherwise.
  CallStatus StatusOfStop(CallStatus status) const;
  CallStatus DeadlineStatus() const;
  // Called before a message is sent: counts it, and adds the initial metadata if it is the first.
  void CountMessage(bool is_event, size_t bytes);
  void WriteStarts();
  // Returns the status that the call really ends with, and adds the trailing metadata. nullopt: gRPC has ended the call
  // already, so it must not be finished: gRPC 1.51 would send another end, and proxies that share connections take that
  // for an error of the connection.
  std::optional<grpc::Status> FinishStarts(CallStatus status);
  void OnReadTag(bool ok);
  void OnWrittenTag(bool ok);
  void OnFinishedTag(bool ok);
  void OnOver();
  void End();  // nothing more is to be sent
  void ReleaseWhenOver();
  void OnStallTimer();
  void OnRequestTimer();
  void OnLastWriteTimer();

  const std::unique_ptr<IncomingCall> incoming_;
  Loop& loop_;
  const CallEnvironment& environment_;
  const std::string peer_;
  std::unique_ptr<Ticket> ticket_;
  CallRecorder recorder_;
  Tag<&Call::OnReadTag> read_tag_{*this};
  Tag<&Call::OnWrittenTag> written_tag_{*this};
  Tag<&Call::OnFinishedTag> finished_tag_{*this};

  State state_ = State::kArriving;
  Receiving::Place place_;              // of the request, while it is received
  bool receives_ = false;               // the request is being received: it holds a place that has started
  grpc::ByteBuffer request_bytes_;      // of the read that is pending
  bool reading_ = false;                // a read is pending
  bool read_soon_ = false;              // as StartRead was told
  bool late_ = false;                   // its request is not whole though the call began a while ago
  bool no_request_ = false;             // its caller sends none
  bool over_ = false;                   // gRPC reported the end, which is possible in any state
  std::optional<uint64_t> write_turn_;  // the loop's turn in which the pending write started; nullopt: none is pending
  bool cut_off_ = false;  // whether a write failed or was abandoned: then gRPC has ended the call, or is about to
  StopCause stop_ = StopCause::kNone;
  Refusal refusal_ = {};  // why the call has to stop, if the cause is a refusal
  absl::AnyInvocable<void()> on_stop_;
  igpt::unstable::EventLoop::Timer stall_timer_;       // limits how long a request takes, then how long a write waits
  igpt::unstable::EventLoop::Timer last_write_timer_;  // the same for a write, once the call has to stop
  igpt::unstable::EventLoop::Timer deadline_timer_;
};

template <typename Message>
grpc::ByteBuffer ToBytes(const Message& message) {
  grpc::ByteBuffer bytes;
  bool own = false;
  (void)grpc::SerializationTraits<Message>::Serialize(message, &bytes, &own);  // fails only over 2 GiB
  return bytes;
}

template <typename Response>
void Call::StartWrite(const Response& response, bool is_event, bool more) {
  grpc::WriteOptions options;
  // A first write with the hint would never complete, because the initial metadata waits with it.
  if (more && recorder_.sent()) options.set_buffer_hint();
  const grpc::ByteBuffer bytes = ToBytes(response);
  CountMessage(is_event, bytes.Length());
  WriteStarts();
  incoming_->stream().Write(bytes, options, &written_tag_);
}

template <typename Response>
void Call::WriteAndFinish(const Response& response) {
  const grpc::ByteBuffer bytes = ToBytes(response);
  CountMessage(/*is_event=*/true, bytes.Length());
  const std::optional<grpc::Status> status = FinishStarts({});
  if (status.has_value()) incoming_->stream().WriteAndFinish(bytes, {}, *status, &finished_tag_);
}

}  // namespace igptd::rpc
