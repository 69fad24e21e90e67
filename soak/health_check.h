// haproxy's health check for a gRPC server. haproxy 2.6's HTTP check can't send the zero bytes of a gRPC message, so
// this writes grpc.health.v1.Health/Check as HTTP/2 bytes. Pure.
#pragma once

#include <string>

namespace igpt::soak {

// Lines for the configuration of a backend: a server is up while it reports SERVING.
std::string HealthCheckLines();

}  // namespace igpt::soak
