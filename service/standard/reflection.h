// grpc.reflection.v1.ServerReflection and its predecessor v1alpha, whose messages are the same on the wire. gRPC
// C++ 1.51 has only v1alpha, which newer tools try second, and brings threads, which would take turns at polling all
// sockets.
#pragma once

#include <string>
#include <vector>

#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpcpp/impl/service_type.h"
#include "service/rpc/bidi_call.h"
#include "service/rpc/task.h"

namespace igptd {

// One version of the service, to be registered with gRPC.
class ReflectionService final : public grpc::Service {
 public:
  // `method`: "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo". Must outlive this.
  explicit ReflectionService(const char* method);
  template <typename... Args>
  void RequestInfo(Args... args) {
    RequestAsyncBidiStreaming(0, args...);
  }
};

// Answers from the descriptors that are linked into the program.
class Reflection {
 public:
  using Call =
      rpc::BidiCall<grpc::reflection::v1::ServerReflectionRequest, grpc::reflection::v1::ServerReflectionResponse>;

  // `services`: the full names to list. Everything else must outlive this.
  Reflection(ReflectionService& service, std::vector<std::string> services, const rpc::MethodPlace& place);

  // Requests one more call from gRPC.
  void Accept() { Call::AcceptNext(method_); }

 private:
  rpc::Task Serve(Call& call) const;
  void Answer(const grpc::reflection::v1::ServerReflectionRequest& request,
              grpc::reflection::v1::ServerReflectionResponse& response) const;

  const std::vector<std::string> services_;
  const rpc::Method<Call> method_;
};

}  // namespace igptd
