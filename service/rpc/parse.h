// Parses requests. gRPC would answer a request that it can't parse with INTERNAL, without a reason; igptd names the bad
// fields.
#pragma once

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"

namespace igptd::rpc {

// Returns igpt::InvalidRequest if `bytes` can't be parsed, with every field whose string is not UTF-8.
absl::Status ParseRequest(const grpc::ByteBuffer& bytes, google::protobuf::Message* request);

}  // namespace igptd::rpc
