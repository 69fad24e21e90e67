// Deadlines by the monotonic clock, which never jumps, whatever happens to the machine's date.
#pragma once

#include <grpc/support/time.h>

#include "absl/time/time.h"

// The moment that lies so far ahead, as gRPC takes it.
inline gpr_timespec DeadlineAfter(absl::Duration duration) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_millis(absl::ToInt64Milliseconds(duration), GPR_TIMESPAN));
}

inline bool HasPassed(gpr_timespec deadline) {
  return gpr_time_cmp(gpr_now(deadline.clock_type), deadline) >= 0;
}
