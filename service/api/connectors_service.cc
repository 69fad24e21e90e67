#include "service/api/connectors_service.h"

#include <utility>

namespace igptd {

ConnectorsService::ConnectorsService(ConnectorsRequests& service, const HandlerContext& context, rpc::Loop& loop,
                                     const rpc::CallEnvironment& environment, grpc::ServerCompletionQueue* incoming)
    : context_(context),
      authorize_{"igpt.v1.ConnectorsService/Authorize",
                 loop,
                 environment,
                 incoming,
                 [&service](auto... args) { service.RequestAuthorize(args...); },
                 [this](AuthorizeCall& call) { Authorize(call); }} {}

void ConnectorsService::Accept() {
  AuthorizeCall::AcceptNext(authorize_);
}

void ConnectorsService::Authorize(AuthorizeCall& call) {
  HandleUnary<igpt::AuthorizeAnswer>(
      context_, call, [this](auto... args) { return context_.client.connectors().Authorize(std::move(args)...); });
}

}  // namespace igptd
