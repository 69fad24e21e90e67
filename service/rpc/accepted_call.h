// What calls of all kinds share: how they are requested from gRPC, and how they reach their handler.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "service/rpc/call.h"
#include "service/rpc/method.h"
#include "service/rpc/parse.h"

namespace igptd::rpc {

// `Derived` has Request(ask, …), which requests it from gRPC, and Finish(CallStatus).
template <typename Derived, typename ResponderType>
class AcceptedCall : public Call {
 public:
  // Requests the next call of `method` from gRPC, which then runs on its loop; it requests another in its turn.
  static void AcceptNext(const Method<Derived>& method) {
    auto* call = new Derived(method);  // deletes itself when it is over
    call->GiveToGrpc();
    call->Request(method.ask, method.place.loop.queue(), method.place.incoming, &call->accepted_tag_);
  }

 protected:
  explicit AcceptedCall(const Method<Derived>& method)
      : Call(method.place.loop, method.place.environment, method.name, method.observer),
        method_(method),
        responder_(&context_) {}

  void OnAccepted(bool ok) override {
    if (!ok) {
      delete this;
      return;
    }
    if (!method_.request_next) AcceptNext(method_);
    Run();
  }

  void Handle() override {
    auto& call = static_cast<Derived&>(*this);
    if (method_.request_next) method_.request_next();
    if (std::optional<CallStatus> end = Enter()) return call.Finish(*std::move(end));
    method_.handle(call);
  }

  const Method<Derived>& method_;
  ResponderType responder_;
};

// A call with one request, which arrives as bytes.
template <typename Derived, typename RequestMessage, typename ResponderType>
class OneRequestCall : public AcceptedCall<Derived, ResponderType> {
 public:
  // grpc::Service's RequestAsync… function for this kind of call.
  using Ask = std::function<void(grpc::ServerContext*, grpc::ByteBuffer*, ResponderType*, grpc::CompletionQueue*,
                                 grpc::ServerCompletionQueue*, void* tag)>;

  const RequestMessage& request() const { return request_; }

 protected:
  friend class AcceptedCall<Derived, ResponderType>;
  using AcceptedCall<Derived, ResponderType>::AcceptedCall;

  void Request(const Ask& ask, grpc::CompletionQueue* own, grpc::ServerCompletionQueue* incoming, void* tag) {
    ask(&this->context_, &request_bytes_, &this->responder_, own, incoming, tag);
  }

  absl::Status ParseRequest() override {
    absl::Status parsed = rpc::ParseRequest(request_bytes_, &request_);
    request_bytes_.Clear();
    return parsed;
  }
  const google::protobuf::Message* request_message() const override { return &request_; }
  size_t RequestBytes() const override { return request_bytes_.Length(); }

  grpc::ByteBuffer request_bytes_;
  RequestMessage request_;
};

}  // namespace igptd::rpc
