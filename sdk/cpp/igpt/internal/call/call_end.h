// The end of a call: its status and its report.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "igpt/call_info.h"
#include "igpt/internal/call/client_core.h"
#include "igpt/internal/policy/route.h"
#include "igpt/options.h"

namespace igpt::internal {

// The facts of a call that is refused before it begins.
CallInfo Refused(const CallOptions& options);

// An error of this library with these facts of its call; any other status as it is.
absl::Status WithFacts(const absl::Status& status, const CallInfo& call, int64_t events_delivered = 0);

// Tells the client's observer, if there is one, how a call ended.
void ReportCall(const ClientCore& core, const Route& route, const CallInfo& call, const absl::Status& status,
                int64_t events_delivered = 0, bool held_back = false);

}  // namespace igpt::internal
