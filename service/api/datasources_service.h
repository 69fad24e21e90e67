// igpt.v1.DatasourcesService on one loop.
#pragma once

#include "igpt/v1/datasources.grpc.pb.h"
#include "service/api/handlers.h"
#include "service/rpc/calls.h"

namespace igptd {

// What gRPC has generated, with the requests as bytes: they are parsed on the loops. The numbers are the methods', in
// the order of the proto.
class DatasourcesRequests final : public igpt::v1::DatasourcesService::AsyncService {
 public:
  template <typename... Args>
  void RequestList(Args... args) {
    RequestAsyncUnary(0, args...);
  }
  template <typename... Args>
  void RequestDisconnect(Args... args) {
    RequestAsyncUnary(1, args...);
  }
};

class DatasourcesService {
 public:
  using ListCall = rpc::UnaryCall<igpt::v1::ListRequest, igpt::v1::ListResponse>;
  using DisconnectCall = rpc::UnaryCall<igpt::v1::DisconnectRequest, igpt::v1::DisconnectResponse>;

  // `service` is shared by all loops; everything given must outlive this.
  DatasourcesService(DatasourcesRequests& service, const HandlerContext& context, rpc::Loop& loop,
                     const rpc::CallEnvironment& environment, grpc::ServerCompletionQueue* incoming);

  // Asks gRPC for one more call of each RPC.
  void Accept();

 private:
  void List(ListCall& call);
  void Disconnect(DisconnectCall& call);

  const HandlerContext& context_;
  const rpc::Method<ListCall> list_;
  const rpc::Method<DisconnectCall> disconnect_;
};

}  // namespace igptd
