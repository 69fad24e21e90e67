// The error of a failed call: what it says, to people and to programs.
#pragma once

#include <grpcpp/support/status.h>

#include <optional>
#include <string>
#include <string_view>

#include "exit_code.h"
#include "google/protobuf/duration.pb.h"
#include "google/rpc/error_details.pb.h"

// igptd sends these with every error (see igpt/v1/error_reason.proto). A status without a reason is not igptd's own,
// but that of gRPC or of a proxy.
struct ErrorDetails {
  google::rpc::ErrorInfo info;                          // a reason for programs, and facts about it
  google::rpc::BadRequest bad_request;                  // every invalid field
  std::optional<google::protobuf::Duration> try_again;  // how long to wait before that
};

ErrorDetails DetailsOf(const grpc::Status& status);

// The status, its details and a remedy, one per line, without a line break at the end:
//
//   RESOURCE_EXHAUSTED: iGPT is limiting requests; try again later
//     reason: IGPT_RATE_LIMITED (igptd)
//     http_status: 429
//     try again in: 3s
//     what to do: wait, then try again
//
// `server` is where the call went.
std::string Describe(const grpc::Status& status, const std::string& server);

// The same as a JSON object on one line: code, message, reason, metadata, violations, retry_after. What isn't there is
// left out, but for the code and the message.
std::string DescribeAsJson(const grpc::Status& status);

ExitCode ExitCodeOf(const grpc::Status& status);
