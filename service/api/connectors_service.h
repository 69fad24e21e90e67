// igpt.v1.ConnectorsService on one loop.
#pragma once

#include "igpt/v1/connectors.grpc.pb.h"
#include "service/api/handlers.h"
#include "service/rpc/calls.h"

namespace igptd {

// What gRPC has generated, with the requests as bytes: they are parsed on the loops. The numbers are the methods', in
// the order of the proto.
class ConnectorsRequests final : public igpt::v1::ConnectorsService::AsyncService {
 public:
  template <typename... Args>
  void RequestAuthorize(Args... args) {
    RequestAsyncUnary(0, args...);
  }
};

class ConnectorsService {
 public:
  using AuthorizeCall = rpc::UnaryCall<igpt::v1::AuthorizeRequest, igpt::v1::AuthorizeResponse>;

  // `service` is shared by all loops; everything given must outlive this.
  ConnectorsService(ConnectorsRequests& service, const HandlerContext& context, rpc::Loop& loop,
                    const rpc::CallEnvironment& environment, grpc::ServerCompletionQueue* incoming);

  // Asks gRPC for one more call of each RPC.
  void Accept();

 private:
  void Authorize(AuthorizeCall& call);

  const HandlerContext& context_;
  const rpc::Method<AuthorizeCall> authorize_;
};

}  // namespace igptd
