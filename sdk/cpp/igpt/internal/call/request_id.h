// Who a call is, for logs at both ends.
#pragma once

#include "absl/random/random.h"
#include "igpt/options.h"

namespace igpt::internal {

// The options with a request id: their own, or a new UUID of version 4.
CallOptions WithRequestId(CallOptions options, absl::BitGen& random);

}  // namespace igpt::internal
