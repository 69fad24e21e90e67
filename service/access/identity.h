// Identifies a call's caller by its bearer token or client certificate.
#pragma once

#include <memory>

#include "grpcpp/server_context.h"
#include "service/access/caller_auth.h"

namespace igptd {

// The caller in the callers file; null if it is unknown. If the caller sends a token, the token alone decides, whatever
// its certificate says.
std::shared_ptr<const Caller> FindCaller(const CallerAuth& auth, const grpc::ServerContext& context);

}  // namespace igptd
