// The metadata that a caller sends with a call.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "grpcpp/server_context.h"

namespace igptd::rpc {

// The values of an entry, in the order in which they were sent; empty if there is none. They live as long as the
// context.
std::vector<std::string_view> ValuesOf(const grpc::ServerContext& context, std::string_view name);

// The limit for a call's metadata. gRPC has one too, but enforces it only for clients that have acknowledged it.
inline constexpr size_t kMaxMetadataBytes = 8 << 10;

// The size of all metadata as HTTP/2 counts it (RFC 9113, 6.5.2): names and values, plus 32 bytes for each entry.
size_t MetadataBytes(const grpc::ServerContext& context);

inline constexpr std::string_view kRequestIdKey = "x-request-id";

// The call's request id: the caller's `x-request-id` if that is 1 to 128 letters, digits or characters of -_.:/+= ;
// otherwise a new one of 32 hexadecimal digits.
std::string RequestIdOf(const grpc::ServerContext& context);

}  // namespace igptd::rpc
