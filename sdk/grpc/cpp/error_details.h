// Describes the error of a failed call to people.
#pragma once

#include <grpcpp/support/status.h>

#include <string>

// The status and its details, one per line, without a line break at the end:
//
//   RESOURCE_EXHAUSTED: iGPT is limiting requests; try again later
//     reason: IGPT_RATE_LIMITED (igptd)
//     http_status: 429
//     try again in: 3s
//
// igptd sends these details with every error (see igpt/v1/error_reason.proto): `ErrorInfo` holds a reason for programs
// and facts about it, `BadRequest` every invalid field, `RetryInfo` how long to wait. For a status without details,
// this returns only the code and message.
std::string Describe(const grpc::Status& status);
