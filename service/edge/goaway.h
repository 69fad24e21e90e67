// Asks callers to leave their connections.
#pragma once

#include "grpcpp/server.h"

namespace igptd {

// Sends GOAWAY on every connection: its caller starts new calls on another one. Running calls, and calls that were sent
// before the GOAWAY arrived, are served like any other; the connection closes once they have ended. A connection gets
// only one GOAWAY; one that is still in its TLS handshake gets none. Returns false if this gRPC offers no way to do it.
bool SendGoaways(grpc::Server& server);

}  // namespace igptd
