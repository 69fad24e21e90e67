// What newer versions of gRPC do otherwise. Only this file knows from which version on.
//
// The tests run with 1.51, of Debian 12 and 13 and Ubuntu 24.04, with Protobuf 3.21. With 1.83 and Protobuf 36, igptd
// compiles.
#pragma once

#include "grpcpp/version_info.h"

#define IGPTD_GRPC_FROM(minor) (GRPC_CPP_VERSION_MAJOR > 1 || GRPC_CPP_VERSION_MINOR >= (minor))

// gRPC and Protobuf log by Abseil.
#define IGPTD_LIBRARIES_LOG_BY_ABSEIL IGPTD_GRPC_FROM(66)

// There is a provider of certificates that are in memory and can be replaced.
#define IGPTD_GRPC_RELOADS_CERTIFICATES IGPTD_GRPC_FROM(78)
