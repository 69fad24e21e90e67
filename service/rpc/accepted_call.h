// What calls with one request share: how gRPC is asked for them, and how they reach their handler.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "grpcpp/completion_queue.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "service/rpc/call.h"
#include "service/rpc/method.h"
#include "service/rpc/parse.h"

namespace igptd::rpc {

template <typename Derived, typename RequestMessage, typename ResponderType>
class AcceptedCall : public Call {
 public:
  using Request = RequestMessage;
  // grpc::Service's RequestAsync… function for this kind of call, with the request as bytes.
  using Ask = std::function<void(grpc::ServerContext*, grpc::ByteBuffer*, ResponderType*, grpc::CompletionQueue*,
                                 grpc::ServerCompletionQueue*, void* tag)>;

  // Requests the next call of `method` from gRPC. The call runs on its loop; each call that arrives requests another.
  static void AcceptNext(const Method<Derived>& method) {
    auto* call = new Derived(method);  // deletes itself when it is over
    call->GiveToGrpc();
    method.ask(&call->context_, &call->request_bytes_, &call->responder_, method.place.loop.queue(),
               method.place.incoming, &call->accepted_tag_);
  }

  const Request& request() const { return request_; }

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
    AcceptNext(method_);
    Run();
  }

  void Handle() override {
    auto& call = static_cast<Derived&>(*this);
    if (std::optional<CallStatus> end = Enter()) return call.Finish(*std::move(end));
    method_.handle(call);
  }

  absl::Status ParseRequest() override {
    absl::Status parsed = rpc::ParseRequest(request_bytes_, &request_);
    request_bytes_.Clear();
    return parsed;
  }
  const google::protobuf::Message* request_message() const override { return &request_; }
  size_t RequestBytes() const override { return request_bytes_.Length(); }

  const Method<Derived>& method_;
  grpc::ByteBuffer request_bytes_;
  Request request_;
  ResponderType responder_;
};

}  // namespace igptd::rpc
