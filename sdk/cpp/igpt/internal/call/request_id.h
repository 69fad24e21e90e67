// Who a call is, for logs at both ends and for traces.
#pragma once

#include <string>
#include <string_view>

#include "absl/random/random.h"
#include "igpt/options.h"

namespace igpt::internal {

// The options with a request id: their own, or a new UUID of version 4.
CallOptions WithRequestId(CallOptions options, absl::BitGen& random);

// A new span in the trace of this one; both are W3C traceparents of version 00.
std::string ChildOf(std::string_view traceparent, absl::BitGen& random);

}  // namespace igpt::internal
