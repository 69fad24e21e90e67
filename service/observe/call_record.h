// What is known about a call at its end, for logs and metrics.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "grpcpp/support/status.h"
#include "igpt/v1/error_reason.pb.h"
#include "service/observe/trace_context.h"

namespace igptd {

// Holds nothing that a user wrote, except the trace's state.
struct CallRecord {
  std::string_view method;  // "igpt.v1.RecallService/Ask"
  std::string request_id;
  TraceContext trace;
  absl::Time start;            // by the wall clock; this and the next: only of a call whose span is recorded
  std::string client_address;  // an IP address
  std::string caller;          // its name in the callers file; empty: unknown
  std::string user_hash;       // empty: no user was named
  grpc::StatusCode code = grpc::StatusCode::OK;
  igpt::v1::ErrorReason reason = igpt::v1::ERROR_REASON_UNSPECIFIED;
  absl::Duration duration;                    // from acceptance to end
  absl::Duration waited;                      // the part of it spent waiting for iGPT, or for the caller to read
  std::optional<absl::Duration> first_event;  // from the start to the first event
  int64_t events = 0;                         // written, without heartbeats
  int64_t bytes = 0;                          // written
  int attempts = 0;                           // requests to iGPT
};

}  // namespace igptd
