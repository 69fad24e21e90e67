// Requests from bytes. gRPC would answer a request that it can't parse with INTERNAL and no word about why; igptd says
// which field is wrong.
#pragma once

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"

namespace igptd::rpc {

// igpt::InvalidRequest, with every field whose string is not UTF-8, when `bytes` are no such message.
absl::Status ParseRequest(const grpc::ByteBuffer& bytes, google::protobuf::Message* request);

}  // namespace igptd::rpc
