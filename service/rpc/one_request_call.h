// What RPCs with one request have in common: how it is received, and how they reach their handler.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "service/rpc/call.h"
#include "service/rpc/incoming_call.h"
#include "service/rpc/method.h"
#include "service/rpc/parse.h"

namespace igptd::rpc {

template <typename Derived, typename RequestMessage>
class OneRequestCall : public Call {
 public:
  OneRequestCall(const Method<Derived>& method, std::unique_ptr<IncomingCall> incoming)
      : Call(std::move(incoming), method.environment, method.name, method.observer), method_(method) {}

  const RequestMessage& request() const { return request_; }

 private:
  void Handle() override { ReceiveRequest(); }
  void OnRequest() override { method_.handle(static_cast<Derived&>(*this)); }
  absl::Status ParseRequest(const grpc::ByteBuffer& bytes) override { return rpc::ParseRequest(bytes, &request_); }
  const google::protobuf::Message* request_message() const override { return &request_; }

  const Method<Derived>& method_;
  RequestMessage request_;
};

}  // namespace igptd::rpc
