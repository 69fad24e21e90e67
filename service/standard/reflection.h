// grpc.reflection.v1.ServerReflection and its predecessor v1alpha, whose messages are the same on the wire. gRPC
// C++ 1.51 has only v1alpha, which newer tools try second, and brings threads, which would take turns at polling all
// sockets.
#pragma once

#include <string>
#include <vector>

#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "service/rpc/bidi_call.h"
#include "service/rpc/method.h"
#include "service/rpc/task.h"

namespace igptd {

// Answers from the descriptors that are linked into the program.
class Reflection {
 public:
  using Call =
      rpc::BidiCall<grpc::reflection::v1::ServerReflectionRequest, grpc::reflection::v1::ServerReflectionResponse>;

  // Adds both versions to `methods`. `services`: the full names to list. `environment` must outlive this.
  Reflection(std::vector<std::string> services, const rpc::CallEnvironment& environment, rpc::Methods& methods);

 private:
  rpc::Task Serve(Call& call) const;
  void Answer(const grpc::reflection::v1::ServerReflectionRequest& request,
              grpc::reflection::v1::ServerReflectionResponse& response) const;

  const std::vector<std::string> services_;
  const rpc::Method<Call> v1_;
  const rpc::Method<Call> v1alpha_;
};

}  // namespace igptd
