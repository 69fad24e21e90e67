#include "service/api/datasources_service.h"

#include <utility>

namespace igptd {

DatasourcesService::DatasourcesService(DatasourcesRequests& service, const HandlerContext& context, rpc::Loop& loop,
                                       const rpc::CallEnvironment& environment, grpc::ServerCompletionQueue* incoming)
    : context_(context),
      list_{"igpt.v1.DatasourcesService/List",
            loop,
            environment,
            incoming,
            [&service](auto... args) { service.RequestList(args...); },
            [this](ListCall& call) { List(call); }},
      disconnect_{"igpt.v1.DatasourcesService/Disconnect",
                  loop,
                  environment,
                  incoming,
                  [&service](auto... args) { service.RequestDisconnect(args...); },
                  [this](DisconnectCall& call) { Disconnect(call); }} {}

void DatasourcesService::Accept() {
  ListCall::AcceptNext(list_);
  DisconnectCall::AcceptNext(disconnect_);
}

void DatasourcesService::List(ListCall& call) {
  HandleUnary<igpt::ListAnswer>(
      context_, call, [this](auto... args) { return context_.client.datasources().List(std::move(args)...); });
}

void DatasourcesService::Disconnect(DisconnectCall& call) {
  HandleUnary<igpt::DisconnectAnswer>(
      context_, call, [this](auto... args) { return context_.client.datasources().Disconnect(std::move(args)...); });
}

}  // namespace igptd
