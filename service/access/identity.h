// Identifies a call's caller by its bearer token or client certificate.
#pragma once

#include "absl/time/time.h"
#include "grpcpp/server_context.h"
#include "service/access/caller_auth.h"

namespace igptd {

// What the call's credential is worth. If the caller sends a token, the token alone decides, whatever its certificate
// says. `now`: by the wall clock.
Credential FindCaller(const CallerAuth& auth, const grpc::ServerContext& context, absl::Time now);

}  // namespace igptd
