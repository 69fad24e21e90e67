// The two kinds of RPC that igptd has, with their messages: one answer, and a stream of answers.
#pragma once

#include <coroutine>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "grpcpp/completion_queue.h"
#include "grpcpp/support/async_stream.h"
#include "grpcpp/support/async_unary_call.h"
#include "grpcpp/support/byte_buffer.h"
#include "service/rpc/call.h"
#include "service/rpc/parse.h"

namespace igptd::rpc {

// An RPC of a service on one loop: how a call of it is asked for, and who handles it. Outlives its calls. Thread-safe:
// nothing of it changes.
template <typename Call>
struct Method {
  std::string_view name;  // "igpt.v1.RecallService/Ask"
  Loop& loop;
  const CallEnvironment& environment;
  grpc::ServerCompletionQueue* incoming;
  // Asks gRPC for a call: grpc::Service's RequestAsync… function for its kind, with the request as bytes.
  std::function<void(grpc::ServerContext*, grpc::ByteBuffer*, typename Call::Responder*, grpc::CompletionQueue*,
                     grpc::ServerCompletionQueue*, void* tag)>
      request;
  // Takes over a call: sees to it that Finish is called, once.
  std::function<void(Call&)> handle;
  CallObserver* observer = environment.observer_of ? environment.observer_of(name, Call::kStreams) : nullptr;
};

// What both kinds share: how they come to be.
template <typename Derived, typename RequestMessage, typename ResponderType>
class AcceptedCall : public ServerCall {
 public:
  using Request = RequestMessage;
  using Responder = ResponderType;

  // Asks gRPC for the next call of `method`, which then runs on its loop; with every call that comes, for another.
  static void AcceptNext(const Method<Derived>& method) {
    auto* call = new Derived(method);  // deletes itself when it is over
    call->GiveToGrpc();
    method.request(&call->context_, &call->request_bytes_, &call->responder_, method.loop.queue(), method.incoming,
                   &call->accepted_tag_);
  }

  const Request& request() const { return request_; }

 protected:
  explicit AcceptedCall(const Method<Derived>& method)
      : ServerCall(method.loop, method.environment, method.name, method.observer),
        method_(method),
        responder_(&context_) {}

  void OnAccepted(bool ok) override {
    if (!ok) {
      delete this;
      return;
    }
    AcceptNext(method_);
    Run();
  }

  void Handle() override {
    auto& call = static_cast<Derived&>(*this);
    if (std::optional<CallStatus> end = EndBeforeItBegins()) return call.Finish(*std::move(end));
    if (absl::Status parsed = ParseRequest(request_bytes_, &request_); !parsed.ok()) {
      return call.Finish(ToCallStatus(parsed, KeyOwner::kIgptd));
    }
    request_bytes_.Clear();
    method_.handle(call);
  }

  size_t RequestBytes() const override { return request_bytes_.Length(); }

  const Method<Derived>& method_;
  grpc::ByteBuffer request_bytes_;
  Request request_;
  Responder responder_;
};

template <typename RequestMessage, typename Response>
class UnaryCall final : public AcceptedCall<UnaryCall<RequestMessage, Response>, RequestMessage,
                                            grpc::ServerAsyncResponseWriter<Response>> {
 public:
  static constexpr bool kStreams = false;
  using AcceptedCall<UnaryCall, RequestMessage, grpc::ServerAsyncResponseWriter<Response>>::AcceptedCall;

  // Ends the call. The call is not to be touched after it.
  void Finish(const Response& response) {
    this->CountMessage(/*is_event=*/true, response.ByteSizeLong());
    this->responder_.Finish(response, this->FinishStarts({}), &this->finished_tag_);
  }
  void Finish(CallStatus error) {
    this->responder_.FinishWithError(this->FinishStarts(std::move(error)), &this->finished_tag_);
  }

 private:
  void OnWritten(bool /*ok*/) override {}  // its one message goes with its status
};

template <typename RequestMessage, typename Response>
class StreamCall final
    : public AcceptedCall<StreamCall<RequestMessage, Response>, RequestMessage, grpc::ServerAsyncWriter<Response>> {
 public:
  static constexpr bool kStreams = true;
  using AcceptedCall<StreamCall, RequestMessage, grpc::ServerAsyncWriter<Response>>::AcceptedCall;

  // co_await Write(…): sends an event; false when the call is over, and then only Finish is left to do. `more`: another
  // is going to follow at once, so gRPC may send both together.
  auto Write(const Response& response, bool is_event, bool more) {
    struct Awaiter {
      StreamCall& call;
      const Response& response;
      const bool is_event;
      const bool more;
      bool await_ready() const { return call.stopping(); }
      void await_suspend(std::coroutine_handle<> waiting) {
        grpc::WriteOptions options;
        // A first write with the hint would never complete: the initial metadata is held back with it.
        if (more && call.sent()) options.set_buffer_hint();
        call.CountMessage(is_event, response.ByteSizeLong());
        call.WriteStarts();
        call.waiting_ = waiting;
        call.responder_.Write(response, options, &call.written_tag_);
      }
      bool await_resume() const { return !call.stopping() && call.written_; }
    };
    return Awaiter{*this, response, is_event, more};
  }

  // Ends the call. The call is not to be touched after it.
  void Finish(CallStatus status) {
    this->responder_.Finish(this->FinishStarts(std::move(status)), &this->finished_tag_);
  }

  // The same with a last event and OK.
  void Finish(const Response& last) {
    this->CountMessage(/*is_event=*/true, last.ByteSizeLong());
    this->responder_.WriteAndFinish(last, {}, this->FinishStarts({}), &this->finished_tag_);
  }

 private:
  void OnWritten(bool ok) override {
    this->WriteEnds();
    written_ = ok;
    std::exchange(waiting_, nullptr).resume();
  }

  std::coroutine_handle<> waiting_;
  bool written_ = false;
};

}  // namespace igptd::rpc
