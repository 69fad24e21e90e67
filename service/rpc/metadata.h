// The metadata that a caller sends with a call.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "grpcpp/server_context.h"

namespace igptd::rpc {

// The values of an entry, in the order in which they were sent; none when there is no such entry. They live as long as
// the context.
std::vector<std::string_view> ValuesOf(const grpc::ServerContext& context, std::string_view name);

// What a call's metadata may take. gRPC has a limit too, but holds only those to it who have acknowledged it.
inline constexpr size_t kMaxMetadataBytes = 8 << 10;

// What all of it takes as HTTP/2 counts it (RFC 9113, 6.5.2): names, values and 32 bytes each.
size_t MetadataBytes(const grpc::ServerContext& context);

inline constexpr std::string_view kRequestIdKey = "x-request-id";

// What names the call across services: the caller's `x-request-id` when it is 1 to 128 characters of letters, digits
// and -_.:/+= ; else a new one: 32 hexadecimal digits.
std::string RequestIdOf(const grpc::ServerContext& context);

}  // namespace igptd::rpc
