// What a failed call says, for people.
#pragma once

#include <grpcpp/support/status.h>

#include <string>

// The status and its details, a line each and without a line break at the end:
//
//   RESOURCE_EXHAUSTED: iGPT is limiting requests; try again later
//     reason: IGPT_RATE_LIMITED (igptd)
//     http_status: 429
//     try again in: 3s
//
// The details are those that igptd sends with every error (see igpt/v1/error_reason.proto): `ErrorInfo` has a reason
// for programs and facts that go with it, `BadRequest` every field that was wrong, `RetryInfo` when to try again. A
// status without details gives its code and message alone.
std::string Describe(const grpc::Status& status);
