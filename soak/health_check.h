// haproxy's health check of a gRPC server. haproxy 2.6 can't send the zero bytes of a gRPC message with its HTTP check,
// so this writes grpc.health.v1.Health/Check as bytes of HTTP/2. Pure.
#pragma once

#include <string>

namespace igpt::soak {

// The lines of a backend: a server is up while it says SERVING.
std::string HealthCheckLines();

}  // namespace igpt::soak
