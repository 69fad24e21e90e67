// An RPC with one request and one answer.
#pragma once

#include "service/rpc/one_request_call.h"

namespace igptd::rpc {

template <typename RequestMessage, typename Response>
class UnaryCall final : public OneRequestCall<UnaryCall<RequestMessage, Response>, RequestMessage> {
 public:
  static constexpr bool kStreams = false;
  using OneRequestCall<UnaryCall, RequestMessage>::OneRequestCall;
  using Call::Finish;

  // Ends the call, which must not be used after that.
  void Finish(const Response& response) { this->WriteAndFinish(response); }

 private:
  void OnWritten(bool /*ok*/) override {}  // the only message is sent with the status
};

}  // namespace igptd::rpc
