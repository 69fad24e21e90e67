// grpc.reflection.v1.ServerReflection, which gRPC C++ 1.51 lacks: it brings only v1alpha, and newer tools ask for v1
// first.
#pragma once

#include <string>
#include <vector>

#include "grpc/reflection/v1/reflection.grpc.pb.h"

namespace igptd {

// Answers from the descriptors that are linked into the program. Thread-safe.
class ReflectionV1 final : public grpc::reflection::v1::ServerReflection::Service {
 public:
  // `services`: their full names, as clients list them. The standard ones are added.
  explicit ReflectionV1(std::vector<std::string> services);

  grpc::Status ServerReflectionInfo(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<grpc::reflection::v1::ServerReflectionResponse,
                               grpc::reflection::v1::ServerReflectionRequest>* stream) override;

 private:
  void Answer(const grpc::reflection::v1::ServerReflectionRequest& request,
              grpc::reflection::v1::ServerReflectionResponse& response) const;

  std::vector<std::string> services_;
};

}  // namespace igptd
