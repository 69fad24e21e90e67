// gRPC's status codes by name.
#pragma once

#include <cstddef>
#include <iterator>
#include <string_view>

#include "grpcpp/support/status.h"

namespace igptd {

struct CodeNames {
  std::string_view name;    // in gRPC's documentation and in logs
  std::string_view metric;  // in metrics: Go's spelling, which gRPC servers in every language use
};

// By code.
inline constexpr CodeNames kCodeNames[] = {
    {"OK", "OK"},
    {"CANCELLED", "Canceled"},
    {"UNKNOWN", "Unknown"},
    {"INVALID_ARGUMENT", "InvalidArgument"},
    {"DEADLINE_EXCEEDED", "DeadlineExceeded"},
    {"NOT_FOUND", "NotFound"},
    {"ALREADY_EXISTS", "AlreadyExists"},
    {"PERMISSION_DENIED", "PermissionDenied"},
    {"RESOURCE_EXHAUSTED", "ResourceExhausted"},
    {"FAILED_PRECONDITION", "FailedPrecondition"},
    {"ABORTED", "Aborted"},
    {"OUT_OF_RANGE", "OutOfRange"},
    {"UNIMPLEMENTED", "Unimplemented"},
    {"INTERNAL", "Internal"},
    {"UNAVAILABLE", "Unavailable"},
    {"DATA_LOSS", "DataLoss"},
    {"UNAUTHENTICATED", "Unauthenticated"},
};
static_assert(std::size(kCodeNames) == grpc::StatusCode::UNAUTHENTICATED + 1);

inline std::string_view CodeName(grpc::StatusCode code) {
  return kCodeNames[static_cast<size_t>(code)].name;
}
inline std::string_view MetricCodeName(grpc::StatusCode code) {
  return kCodeNames[static_cast<size_t>(code)].metric;
}

}  // namespace igptd
