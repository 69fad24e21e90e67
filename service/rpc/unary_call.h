// An RPC with one request and one answer.
#pragma once

#include <optional>
#include <utility>

#include "grpcpp/support/async_unary_call.h"
#include "service/rpc/accepted_call.h"

namespace igptd::rpc {

template <typename RequestMessage, typename Response>
class UnaryCall final : public OneRequestCall<UnaryCall<RequestMessage, Response>, RequestMessage,
                                              grpc::ServerAsyncResponseWriter<Response>> {
 public:
  static constexpr bool kStreams = false;
  using OneRequestCall<UnaryCall, RequestMessage, grpc::ServerAsyncResponseWriter<Response>>::OneRequestCall;

  // Ends the call, which must not be used after that.
  void Finish(const Response& response) {
    this->CountMessage(/*is_event=*/true, response.ByteSizeLong());
    const std::optional<grpc::Status> status = this->FinishStarts({});
    if (status.has_value()) this->responder_.Finish(response, *status, &this->finished_tag_);
  }
  void Finish(CallStatus error) {
    const std::optional<grpc::Status> status = this->FinishStarts(std::move(error));
    if (status.has_value()) this->responder_.FinishWithError(*status, &this->finished_tag_);
  }

 private:
  void OnWritten(bool /*ok*/) override {}  // the only message is sent with the status
};

}  // namespace igptd::rpc
