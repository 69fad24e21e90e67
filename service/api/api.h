// igptd's own RPCs, as the table of methods has them.
#pragma once

#include <memory>

#include "grpcpp/server_builder.h"
#include "service/api/handler_context.h"
#include "service/rpc/method.h"

namespace igptd {

// The services as gRPC knows them, shared by all loops. Outlives the server and its Apis.
class ApiServices {
 public:
  ApiServices();
  ~ApiServices();
  ApiServices(const ApiServices&) = delete;
  ApiServices& operator=(const ApiServices&) = delete;

  void Register(grpc::ServerBuilder& builder);

 private:
  friend class Api;
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

// On one loop. Outlives its calls.
class Api {
 public:
  Api(ApiServices& services, const HandlerContext& context, const rpc::MethodPlace& place);
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  // Asks gRPC for one more call of each RPC.
  void Accept();

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace igptd
