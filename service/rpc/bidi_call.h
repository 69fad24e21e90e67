// An RPC with a stream of requests and a stream of answers, where reads and writes never overlap.
#pragma once

#include <coroutine>
#include <functional>
#include <optional>
#include <utility>

#include "grpcpp/completion_queue.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_stream.h"
#include "service/rpc/call.h"
#include "service/rpc/method.h"
#include "service/rpc/task.h"

namespace igptd::rpc {

template <typename Request, typename Response>
class BidiCall final : public Call {
 public:
  static constexpr bool kStreams = true;
  using Responder = grpc::ServerAsyncReaderWriter<Response, Request>;
  using Ask = std::function<void(grpc::ServerContext*, Responder*, grpc::CompletionQueue*, grpc::ServerCompletionQueue*,
                                 void* tag)>;

  // As AcceptedCall::AcceptNext.
  static void AcceptNext(const Method<BidiCall>& method) {
    auto* call = new BidiCall(method);  // deletes itself when it is over
    call->GiveToGrpc();
    method.ask(&call->context_, &call->responder_, method.place.loop.queue(), method.place.incoming,
               &call->accepted_tag_);
  }

  // co_await Read(): whether there is another request(); false if the caller has sent its last, or the call is over.
  auto Read() {
    return Operate(Pending::kRead, [this] {
      loop().Started(/*soon=*/false);
      responder_.Read(&request_, &written_tag_);
    });
  }
  const Request& request() const { return request_; }

  // co_await Write(…): sends an answer; false if the call is over.
  auto Write(const Response& response) {
    return Operate(Pending::kWrite, [this, &response] {
      CountMessage(/*is_event=*/true, response.ByteSizeLong());
      WriteStarts();
      responder_.Write(response, &written_tag_);
    });
  }

  // Ends the call, which must not be used after that.
  void Finish(CallStatus status) { responder_.Finish(FinishStarts(std::move(status)), &finished_tag_); }

 private:
  enum class Pending { kRead, kWrite };

  explicit BidiCall(const Method<BidiCall>& method)
      : Call(method.place.loop, method.place.environment, method.name, method.observer),
        method_(method),
        responder_(&context_) {}

  template <typename Start>
  auto Operate(Pending operation, Start start) {
    return Wait{[this] { return stopping(); },
                [this, operation, start](std::coroutine_handle<> waiting) {
                  pending_ = operation;
                  waiting_ = waiting;
                  start();
                },
                [this] { return !stopping() && succeeded_; }};
  }

  void OnAccepted(bool ok) override {
    if (!ok) {
      delete this;
      return;
    }
    AcceptNext(method_);
    Run();
  }
  void Handle() override {
    if (std::optional<CallStatus> end = Enter()) return Finish(*std::move(end));
    method_.handle(*this);
  }
  absl::Status ParseRequest() override { return absl::OkStatus(); }  // gRPC parses them as they are read
  const google::protobuf::Message* request_message() const override { return nullptr; }

  void OnWritten(bool ok) override {
    if (pending_ == Pending::kWrite) WriteEnds();
    succeeded_ = ok;
    std::exchange(waiting_, nullptr).resume();
  }

  const Method<BidiCall>& method_;
  Request request_;
  Responder responder_;
  std::coroutine_handle<> waiting_;
  Pending pending_ = Pending::kRead;  // the operation that was started last
  bool succeeded_ = false;            // how it ended
};

}  // namespace igptd::rpc
