// Calls of methods and services that igptd doesn't have: they end with UNKNOWN_METHOD. gRPC by itself would end them
// with a status that says nothing.
#pragma once

#include "service/rpc/call.h"
#include "service/rpc/method.h"

namespace igptd {

class UnknownMethodCall final : public rpc::Call {
 public:
  static constexpr bool kStreams = true;  // nobody knows

  UnknownMethodCall(const rpc::Method<UnknownMethodCall>& method, std::unique_ptr<rpc::IncomingCall> incoming)
      : Call(std::move(incoming), method.environment, method.name, method.observer) {}

 private:
  void Handle() override;
  void OnRequest() override {}
  void OnWritten(bool /*ok*/) override {}
  absl::Status ParseRequest(const grpc::ByteBuffer& /*bytes*/) override { return absl::OkStatus(); }
  const google::protobuf::Message* request_message() const override { return nullptr; }
};

}  // namespace igptd
