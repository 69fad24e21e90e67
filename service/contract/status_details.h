// The details of a status: google.rpc messages, truncated to fit. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/support/status.h"
#include "igpt/error.h"

namespace igptd {

struct StatusDetails {
  std::string_view reason;                       // ErrorInfo.reason
  std::map<std::string, std::string> metadata;   // ErrorInfo.metadata
  std::optional<absl::Duration> retry_delay;     // RetryInfo; nullopt: none
  std::vector<igpt::FieldViolation> violations;  // BadRequest; empty: none
};

// A status whose message and details together take at most kMaxStatusBytes.
grpc::Status MakeStatus(grpc::StatusCode code, std::string_view message, const StatusDetails& details);

}  // namespace igptd
