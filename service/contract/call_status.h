// How calls end: gRPC statuses with their details. Pure. error_table.h says which there are.
//
// Every status other than OK carries a google.rpc.Status with an ErrorInfo {reason, domain "igptd", metadata}, a
// BadRequest when fields of the request are wrong, and a RetryInfo when it is known when to come back. Message and
// details together are at most kMaxStatusBytes: gRPC drops a status that outgrows the peer's metadata limit (8 KiB).
// What is too long is cut, and says so.
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

// How a call ends: its status, and for logs and metrics the reason that is in it (UNSPECIFIED for OK).
struct CallStatus {
  grpc::Status status;
  igpt::v1::ErrorReason reason = igpt::v1::ERROR_REASON_UNSPECIFIED;
  std::optional<absl::Duration> pushback = {};  // goes into the trailer grpc-retry-pushback-ms
};

// Whose iGPT key a call is made with: a caller can replace a key that it brought, and only that.
enum class KeyOwner { kIgptd, kCaller };

// The end of a call to iGPT. A status that the SDK did not make is a defect of igptd: its message is not shown.
CallStatus ToCallStatus(const absl::Status& status, KeyOwner key_owner);

// Why igptd itself ends a call, whatever iGPT does.
enum class Refusal {
  kSlowConsumer,           // the caller stopped reading for --stalled_reader_timeout
  kMetadataTooLarge,       // over kMaxMetadataBytes
  kOverloaded,             // no room for the call
  kShuttingDown,           // draining
  kCallerUnauthenticated,  // the caller is not known
  kUserNotAllowed,         // the caller may not act for this user
  kMethodNotAllowed,       // the caller may not call this method
};
inline constexpr Refusal kLastRefusal = Refusal::kMethodNotAllowed;

struct RefusalFacts {
  int64_t events_delivered = 0;               // streams: how many events came before
  std::optional<absl::Duration> retry_after;  // kOverloaded: when to come back; kDefaultRetryDelay when not known
  std::string_view limit = {};                // kOverloaded: which limit was reached, if that is known
};

CallStatus ToCallStatus(Refusal refusal, const RefusalFacts& facts = {});

// The end of a call whose caller cancelled it, and of one whose deadline passed.
CallStatus CancelledByCaller();
CallStatus DeadlinePassed(int64_t events_delivered);

// "SLOW_CONSUMER": as it stands in the documents and in ErrorInfo.
std::string_view ReasonName(igpt::v1::ErrorReason reason);

// What RetryInfo says when nobody knows better.
inline constexpr absl::Duration kDefaultRetryDelay = absl::Seconds(1);

}  // namespace igptd
