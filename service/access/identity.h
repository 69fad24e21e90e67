// Who a call's caller is, by what it shows: a bearer token, or a client certificate.
#pragma once

#include <memory>

#include "grpcpp/server_context.h"
#include "service/access/caller_auth.h"

namespace igptd {

// The caller in the callers file; null when it is none of them. A token that is sent decides, whatever certificate
// there is.
std::shared_ptr<const Caller> FindCaller(const CallerAuth& auth, const grpc::ServerContext& context);

}  // namespace igptd
