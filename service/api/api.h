// igptd's own RPCs, from the table of methods.
#pragma once

#include <memory>

#include "grpcpp/server_builder.h"
#include "service/api/handler_context.h"
#include "service/rpc/method.h"

namespace igptd {

// The services that are registered with gRPC, shared by all loops. Must outlive the server and its Apis.
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

// The RPCs on one loop. Must outlive their calls.
class Api {
 public:
  Api(ApiServices& services, const HandlerContext& context, const rpc::MethodPlace& place);
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  // Requests one more call of each RPC from gRPC.
  void Accept();

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace igptd
