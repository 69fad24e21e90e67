// How calls end: gRPC statuses with their details. Pure. error_table.h lists them.
//
// Every status other than OK carries a google.rpc.Status with an ErrorInfo {reason, domain "igptd", metadata}, a
// BadRequest if fields of the request are invalid, and a RetryInfo if igptd knows how long to wait. Message and details
// together take at most kMaxStatusBytes, because gRPC drops a status that exceeds the peer's metadata limit (8 KiB).
// Whatever is too long is truncated visibly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpcpp/support/status.h"
#include "igpt/v1/error_reason.pb.h"

namespace igptd {

inline constexpr size_t kMaxStatusBytes = 2048;

// How a call ends: its status and, for logs and metrics, the status's reason (UNSPECIFIED for OK).
struct CallStatus {
  grpc::Status status;
  igpt::v1::ErrorReason reason = igpt::v1::ERROR_REASON_UNSPECIFIED;
  std::optional<absl::Duration> pushback = {};  // sent in the trailer grpc-retry-pushback-ms; infinite: never retry
};

// Whose iGPT key a call uses. A caller can replace only a key of its own.
enum class KeyOwner { kIgptd, kCaller };

// How a call to iGPT ends. A status that the SDK did not make is a bug in igptd, so its message is not shown.
CallStatus ToCallStatus(const absl::Status& status, KeyOwner key_owner);

// Why igptd itself ends a call.
enum class Refusal {
  kSlowConsumer,           // the caller stopped reading for --stalled_reader_timeout
  kMetadataTooLarge,       // over kMaxMetadataBytes
  kOverloaded,             // no room for the call
  kTooManyStandardCalls,   // no room for a call of the standard services
  kTooManyRequests,        // too many requests are on their way
  kRequestTooSlow,         // the request was not whole in time
  kRequestTooLarge,        // over rpc::kMaxRequestBytes
  kNoRequest,              // the call has no request
  kShuttingDown,           // draining
  kCallerUnauthenticated,  // unknown caller
  kCallerTokenExpired,     // its token was good until its end
  kUserNotAllowed,         // the caller may not act for this user
  kMethodNotAllowed,       // the caller may not call this method
  kUnknownMethod,          // igptd has no such method
};
inline constexpr Refusal kLastRefusal = Refusal::kUnknownMethod;

struct RefusalFacts {
  int64_t events_delivered = 0;                    // streams: how many events were delivered before
  std::optional<absl::Duration> retry_after = {};  // if there is no room: the wait; nullopt: kDefaultRetryDelay
  std::string_view limit = {};                     // if there is no room: which limit was reached, if known
  std::string_view method = {};                    // kUnknownMethod: "igpt.v1.RecallService/Search"
};

CallStatus ToCallStatus(Refusal refusal, const RefusalFacts& facts = {});

// How a call ends if its caller cancels it, or if its deadline passes.
CallStatus CancelledByCaller();
CallStatus DeadlinePassed(int64_t events_delivered, int attempts);

// The name in ErrorInfo and the documents, such as "SLOW_CONSUMER".
std::string_view ReasonName(igpt::v1::ErrorReason reason);

// RetryInfo's delay if no better one is known.
inline constexpr absl::Duration kDefaultRetryDelay = absl::Seconds(1);

}  // namespace igptd
