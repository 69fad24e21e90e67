// Asking callers to take their calls elsewhere.
#pragma once

#include "grpcpp/server.h"

namespace igptd {

// Sends GOAWAY on every connection: its caller begins no more calls on it and, as long as it wants to make some, takes
// another connection. Those that are under way, and those that it had sent before it knew, are served as ever; when
// they have ended, the connection closes. Who was asked before is not asked again; a connection in its TLS handshake
// isn't reached. False when this gRPC offers no way to do it.
bool SendGoaways(grpc::Server& server);

}  // namespace igptd
