// An RPC with one request and a stream of answers.
#pragma once

#include <coroutine>
#include <optional>
#include <utility>

#include "grpcpp/support/async_stream.h"
#include "service/rpc/accepted_call.h"
#include "service/rpc/task.h"

namespace igptd::rpc {

template <typename RequestMessage, typename Response>
class StreamCall final
    : public OneRequestCall<StreamCall<RequestMessage, Response>, RequestMessage, grpc::ServerAsyncWriter<Response>> {
 public:
  static constexpr bool kStreams = true;
  using OneRequestCall<StreamCall, RequestMessage, grpc::ServerAsyncWriter<Response>>::OneRequestCall;

  // co_await Write(…): sends an event; false if the call is over, and then only Finish may follow. `more`: another
  // event follows at once, so gRPC may send both together.
  auto Write(const Response& response, bool is_event, bool more) {
    return Wait{[this] { return this->stopping(); },
                [this, &response, is_event, more](std::coroutine_handle<> writer) {
                  grpc::WriteOptions options;
                  // A first write with the hint would never complete, because the initial metadata waits with it.
                  if (more && this->sent()) options.set_buffer_hint();
                  this->CountMessage(is_event, response.ByteSizeLong());
                  this->WriteStarts();
                  writer_ = writer;
                  this->responder_.Write(response, options, &this->written_tag_);
                },
                [this] { return !this->stopping() && written_; }};
  }

  // Ends the call, which must not be used after that.
  void Finish(CallStatus end) {
    const std::optional<grpc::Status> status = this->FinishStarts(std::move(end));
    if (status.has_value()) this->responder_.Finish(*status, &this->finished_tag_);
  }

  // The same, with a last event and OK.
  void Finish(const Response& last) {
    this->CountMessage(/*is_event=*/true, last.ByteSizeLong());
    const std::optional<grpc::Status> status = this->FinishStarts({});
    if (status.has_value()) this->responder_.WriteAndFinish(last, {}, *status, &this->finished_tag_);
  }

 private:
  void OnWritten(bool ok) override {
    this->WriteEnds(ok);
    written_ = ok;
    std::exchange(writer_, nullptr).resume();
  }

  std::coroutine_handle<> writer_;
  bool written_ = false;
};

}  // namespace igptd::rpc
