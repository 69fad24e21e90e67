#include "service/standard/reflection.h"

#include <set>
#include <utility>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "service/contract/call_status.h"

namespace igptd {
namespace {

namespace v1 = grpc::reflection::v1;
using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;

// Adds the file and everything that it imports, each file once.
void AddFiles(const FileDescriptor* file, std::set<const FileDescriptor*>& seen, v1::FileDescriptorResponse& out) {
  if (!seen.insert(file).second) return;
  google::protobuf::FileDescriptorProto proto;
  file->CopyTo(&proto);
  out.add_file_descriptor_proto(proto.SerializeAsString());
  for (int i = 0; i < file->dependency_count(); ++i) AddFiles(file->dependency(i), seen, out);
}

void AnswerFile(const FileDescriptor* file, v1::ServerReflectionResponse& response) {
  if (file == nullptr) {
    response.mutable_error_response()->set_error_code(grpc::StatusCode::NOT_FOUND);
    response.mutable_error_response()->set_error_message("not found");
    return;
  }
  std::set<const FileDescriptor*> seen;
  AddFiles(file, seen, *response.mutable_file_descriptor_response());
}

}  // namespace

Reflection::Reflection(std::vector<std::string> services, const rpc::CallEnvironment& environment,
                       rpc::Methods& methods)
    : services_(std::move(services)),
      v1_{"grpc.reflection.v1.ServerReflection/ServerReflectionInfo", environment, [this](Call& call) { Serve(call); }},
      v1alpha_{"grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", environment, v1_.handle} {
  methods.Add(v1_);
  methods.Add(v1alpha_);
}

rpc::Task Reflection::Serve(Call& call) const {
  while (co_await call.Read()) {
    v1::ServerReflectionResponse response;
    response.set_valid_host(call.request().host());
    *response.mutable_original_request() = call.request();
    Answer(call.request(), response);
    if (!co_await call.Write(response)) break;
  }
  if (call.stopping()) co_return call.Finish(CancelledByCaller());
  call.Finish(call.malformed().ok() ? CallStatus() : ToCallStatus(call.malformed(), KeyOwner::kIgptd));
}

void Reflection::Answer(const v1::ServerReflectionRequest& request, v1::ServerReflectionResponse& response) const {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  switch (request.message_request_case()) {
    case v1::ServerReflectionRequest::kFileByFilename:
      return AnswerFile(pool.FindFileByName(request.file_by_filename()), response);
    case v1::ServerReflectionRequest::kFileContainingSymbol:
      return AnswerFile(pool.FindFileContainingSymbol(request.file_containing_symbol()), response);
    case v1::ServerReflectionRequest::kListServices:
      for (const std::string& service : services_) {
        response.mutable_list_services_response()->add_service()->set_name(service);
      }
      return;
    // igptd's protos are proto3 without custom options, so there are no extensions.
    case v1::ServerReflectionRequest::kFileContainingExtension:
    case v1::ServerReflectionRequest::kAllExtensionNumbersOfType:
      return AnswerFile(nullptr, response);
    case v1::ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
      response.mutable_error_response()->set_error_code(grpc::StatusCode::INVALID_ARGUMENT);
      response.mutable_error_response()->set_error_message("message_request is required");
      return;
  }
}

}  // namespace igptd
