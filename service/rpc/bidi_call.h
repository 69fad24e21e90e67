// An RPC with a stream of requests and a stream of answers, one after the other.
#pragma once

#include <coroutine>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "grpcpp/completion_queue.h"
#include "grpcpp/support/async_stream.h"
#include "service/rpc/call.h"

namespace igptd::rpc {

template <typename Request, typename Response>
class BidiCall final : public ServerCall {
 public:
  using Responder = grpc::ServerAsyncReaderWriter<Response, Request>;

  // As rpc::Method.
  struct Method {
    std::string_view name;
    Loop& loop;
    const CallEnvironment& environment;
    grpc::ServerCompletionQueue* incoming;
    std::function<void(grpc::ServerContext*, Responder*, grpc::CompletionQueue*, grpc::ServerCompletionQueue*,
                       void* tag)>
        request;
    std::function<void(BidiCall&)> handle;
  };

  static void AcceptNext(const Method& method) {
    auto* call = new BidiCall(method);  // deletes itself when it is over
    call->GiveToGrpc();
    method.request(&call->context_, &call->responder_, method.loop.queue(), method.incoming, &call->accepted_tag_);
  }

  // co_await Read(): whether there is another request(); false when the caller has sent its last, or the call is over.
  auto Read() {
    return Awaiter{*this, [this] {
                     reading_ = true;
                     loop().Started(/*soon=*/false);
                     responder_.Read(&request_, &written_tag_);
                   }};
  }
  const Request& request() const { return request_; }

  // co_await Write(…): sends an answer; false when the call is over.
  auto Write(const Response& response) {
    return Awaiter{*this, [this, &response] {
                     CountMessage(/*is_event=*/true, response.ByteSizeLong());
                     WriteStarts();
                     responder_.Write(response, &written_tag_);
                   }};
  }

  // Ends the call. The call is not to be touched after it.
  void Finish(CallStatus status) { responder_.Finish(FinishStarts(std::move(status)), &finished_tag_); }

 private:
  template <typename Start>
  struct Awaiter {
    BidiCall& call;
    const Start start;
    bool await_ready() const { return call.stopping(); }
    void await_suspend(std::coroutine_handle<> waiting) {
      call.waiting_ = waiting;
      start();
    }
    bool await_resume() const { return !call.stopping() && call.done_; }
  };
  template <typename Start>
  Awaiter(BidiCall&, Start) -> Awaiter<Start>;

  explicit BidiCall(const Method& method)
      : ServerCall(method.loop, method.environment, method.name, /*observer=*/nullptr),
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
    if (std::optional<CallStatus> end = EndBeforeItBegins()) return Finish(*std::move(end));
    method_.handle(*this);
  }

  void OnWritten(bool ok) override {
    if (!std::exchange(reading_, false)) WriteEnds();
    done_ = ok;
    std::exchange(waiting_, nullptr).resume();
  }

  const Method& method_;
  Request request_;
  Responder responder_;
  std::coroutine_handle<> waiting_;
  bool reading_ = false;
  bool done_ = false;  // what was waited for last
};

}  // namespace igptd::rpc
