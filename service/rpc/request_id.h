// What names a call across services: the `x-request-id` metadata.
#pragma once

#include <string>
#include <string_view>

#include "grpcpp/server_context.h"

namespace igptd::rpc {

inline constexpr std::string_view kRequestIdKey = "x-request-id";

// The caller's, when it is 1 to 128 characters of letters, digits and -_.:/+= ; else a new one: 32 hexadecimal digits.
std::string RequestIdOf(const grpc::ServerContext& context);

}  // namespace igptd::rpc
