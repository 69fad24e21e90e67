// An RPC with a stream of requests and a stream of answers, where reads and writes never overlap.
#pragma once

#include <coroutine>
#include <functional>
#include <optional>
#include <utility>

#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/support/async_stream.h"
#include "service/rpc/accepted_call.h"
#include "service/rpc/task.h"

namespace igptd::rpc {

template <typename RequestMessage, typename Response>
class BidiCall final
    : public AcceptedCall<BidiCall<RequestMessage, Response>, grpc::ServerAsyncReaderWriter<Response, RequestMessage>> {
  using Responder = grpc::ServerAsyncReaderWriter<Response, RequestMessage>;
  using Base = AcceptedCall<BidiCall, Responder>;

 public:
  static constexpr bool kStreams = true;
  // grpc::Service's RequestAsyncBidiStreaming, or grpc::AsyncGenericService's RequestCall.
  using Ask = std::function<void(grpc::GenericServerContext*, Responder*, grpc::CompletionQueue*,
                                 grpc::ServerCompletionQueue*, void* tag)>;

  // co_await Read(): whether there is another request(); false if the caller has sent its last, or the call is over.
  auto Read() {
    return Operate(Pending::kRead, [this] {
      this->OnStop([this] { this->Abandon(); });
      this->loop().Started(/*soon=*/false);
      this->responder_.Read(&request_, &this->written_tag_);
    });
  }
  const RequestMessage& request() const { return request_; }

  // co_await Write(…): sends an answer; false if the call is over.
  auto Write(const Response& response) {
    return Operate(Pending::kWrite, [this, &response] {
      this->CountMessage(/*is_event=*/true, response.ByteSizeLong());
      this->WriteStarts();
      this->responder_.Write(response, &this->written_tag_);
    });
  }

  // Ends the call, which must not be used after that.
  void Finish(CallStatus end) {
    const std::optional<grpc::Status> status = this->FinishStarts(std::move(end));
    if (status.has_value()) this->responder_.Finish(*status, &this->finished_tag_);
  }

 private:
  enum class Pending { kRead, kWrite };

  friend Base;
  using Base::Base;

  void Request(const Ask& ask, grpc::CompletionQueue* own, grpc::ServerCompletionQueue* incoming, void* tag) {
    ask(&this->context_, &this->responder_, own, incoming, tag);
  }

  template <typename Start>
  auto Operate(Pending operation, Start start) {
    return Wait{[this] { return this->stopping(); },
                [this, operation, start](std::coroutine_handle<> waiting) {
                  pending_ = operation;
                  waiting_ = waiting;
                  start();
                },
                [this] { return !this->stopping() && succeeded_; }};
  }

  absl::Status ParseRequest() override { return absl::OkStatus(); }  // gRPC parses them as they are read
  const google::protobuf::Message* request_message() const override { return nullptr; }

  void OnWritten(bool ok) override {
    if (pending_ == Pending::kWrite) this->WriteEnds(ok);
    succeeded_ = ok;
    std::exchange(waiting_, nullptr).resume();
  }

  RequestMessage request_;
  std::coroutine_handle<> waiting_;
  Pending pending_ = Pending::kRead;  // the operation that was started last
  bool succeeded_ = false;            // how it ended
};

}  // namespace igptd::rpc
