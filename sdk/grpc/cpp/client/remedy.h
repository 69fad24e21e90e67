// What to do about an error.
#pragma once

#include <grpcpp/support/status_code_enum.h>

#include <string>
#include <string_view>

// `reason` is that of igptd's `ErrorInfo`, empty if there is none. `server` is where the call went.
std::string Remedy(grpc::StatusCode code, std::string_view reason, const std::string& server);
