// The table of errors: every way in which igptd ends a call with a status other than OK. Statuses are made from it,
// metrics have a series per row, and tests compare the documents with it.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "grpcpp/support/status.h"
#include "igpt/error.h"
#include "igpt/v1/error_reason.pb.h"
#include "service/contract/call_status.h"

namespace igptd {

// When a row applies, for SDK errors that have more than one code.
enum class When {
  kAlways,
  kOwnKey,            // iGPT refused igptd's key
  kCallersKey,        // iGPT refused the caller's own key
  kBeforeFirstEvent,  // nothing was delivered, so asking again is safe
  kAfterFirstEvent,
};

struct ErrorRow {
  igpt::v1::ErrorReason reason;
  grpc::StatusCode code;
  // Which keys ErrorInfo.metadata may have. Unknown facts are left out.
  std::string_view metadata;

  // The cause: an error of the SDK, or a refusal by igptd itself. Exactly one is set.
  std::optional<igpt::ErrorKind> kind = std::nullopt;
  std::optional<Refusal> refusal = std::nullopt;

  // Which calls can end like this.
  enum class Calls {
    kAll,
    kOwn,      // those of igptd's own methods
    kStreams,  // those of them with a stream of answers
    kById,     // those of them whose request has the id of something that may not exist
    kUnknown,  // those of methods that igptd doesn't have, and of the standard services, whose ends metrics don't count
  } calls = Calls::kOwn;
  When when = When::kAlways;
  // Whether the details include a RetryInfo: never, only if the delay is known, or always.
  enum class RetryInfo { kNever, kIfKnown, kAlways } retry_info = RetryInfo::kNever;
  // What the trailer `grpc-retry-pushback-ms` tells gRPC's own retries.
  enum class Pushback {
    kNone,        // nothing: the client's retry policy decides
    kNever,       // not to retry: igptd has done so already, or repeating the call can't help
    kAfterDelay,  // to retry after the delay in RetryInfo
  } pushback = Pushback::kNone;
  // The message of a refusal. The SDK words its own errors.
  const char* message = nullptr;
};

inline constexpr ErrorRow kErrorTable[] = {
    {.reason = igpt::v1::ERROR_REASON_INVALID_REQUEST,
     .code = grpc::StatusCode::INVALID_ARGUMENT,
     .metadata = "",
     .kind = igpt::ErrorKind::kInvalidRequest,
     .pushback = ErrorRow::Pushback::kNever},
    {.reason = igpt::v1::ERROR_REASON_INVALID_REQUEST,
     .code = grpc::StatusCode::RESOURCE_EXHAUSTED,
     .metadata = "",
     .refusal = Refusal::kMetadataTooLarge,
     .calls = ErrorRow::Calls::kAll,
     .pushback = ErrorRow::Pushback::kNever,
     .message = "The call's metadata is over 8 KiB. Send less metadata."},
    {.reason = igpt::v1::ERROR_REASON_IGPT_PARAMS,
     .code = grpc::StatusCode::INVALID_ARGUMENT,
     .metadata = "http_status, attempts, events_delivered",
     .kind = igpt::ErrorKind::kParams,
     .pushback = ErrorRow::Pushback::kNever},
    {.reason = igpt::v1::ERROR_REASON_IGPT_AUTH,
     .code = grpc::StatusCode::FAILED_PRECONDITION,
     .metadata = "http_status, attempts, events_delivered",
     .kind = igpt::ErrorKind::kAuth,
     .when = When::kOwnKey,
     .pushback = ErrorRow::Pushback::kNever},
    {.reason = igpt::v1::ERROR_REASON_IGPT_AUTH,
     .code = grpc::StatusCode::UNAUTHENTICATED,
     .metadata = "http_status, attempts, events_delivered",
     .kind = igpt::ErrorKind::kAuth,
     .when = When::kCallersKey,
     .pushback = ErrorRow::Pushback::kNever},
    {.reason = igpt::v1::ERROR_REASON_IGPT_ERROR,
     .code = grpc::StatusCode::UNKNOWN,
     .metadata = "igpt_error, http_status, attempts, events_delivered",
     .kind = igpt::ErrorKind::kApi},
    {.reason = igpt::v1::ERROR_REASON_IGPT_NOT_FOUND,
     .code = grpc::StatusCode::NOT_FOUND,
     .metadata = "http_status, attempts",
     .kind = igpt::ErrorKind::kNotFound,
     .calls = ErrorRow::Calls::kById,
     .pushback = ErrorRow::Pushback::kNever},
    {.reason = igpt::v1::ERROR_REASON_IGPT_RATE_LIMITED,
     .code = grpc::StatusCode::RESOURCE_EXHAUSTED,
     .metadata = "http_status, attempts",
     .kind = igpt::ErrorKind::kRateLimited,
     .retry_info = ErrorRow::RetryInfo::kAlways,
     .pushback = ErrorRow::Pushback::kNever},
    {.reason = igpt::v1::ERROR_REASON_IGPT_UNAVAILABLE,
     .code = grpc::StatusCode::UNAVAILABLE,
     .metadata = "http_status, attempts",
     .kind = igpt::ErrorKind::kUnavailable,
     .retry_info = ErrorRow::RetryInfo::kIfKnown,
     .pushback = ErrorRow::Pushback::kNever},
    {.reason = igpt::v1::ERROR_REASON_NETWORK_ERROR,
     .code = grpc::StatusCode::UNAVAILABLE,
     .metadata = "http_status, attempts",
     .kind = igpt::ErrorKind::kNetwork,
     .retry_info = ErrorRow::RetryInfo::kIfKnown,
     .pushback = ErrorRow::Pushback::kNever},
    {.reason = igpt::v1::ERROR_REASON_NETWORK_ERROR,
     .code = grpc::StatusCode::UNAVAILABLE,
     .metadata = "http_status, attempts",
     .kind = igpt::ErrorKind::kTls,
     .pushback = ErrorRow::Pushback::kNever},
    {.reason = igpt::v1::ERROR_REASON_NETWORK_ERROR,
     .code = grpc::StatusCode::UNAVAILABLE,
     .metadata = "http_status, attempts",
     .kind = igpt::ErrorKind::kConfiguration,
     .pushback = ErrorRow::Pushback::kNever},
    {.reason = igpt::v1::ERROR_REASON_IGPT_PROTOCOL,
     .code = grpc::StatusCode::INTERNAL,
     .metadata = "http_status, attempts",
     .kind = igpt::ErrorKind::kProtocol,
     .pushback = ErrorRow::Pushback::kNever},
    {.reason = igpt::v1::ERROR_REASON_IGPT_TIMEOUT,
     .code = grpc::StatusCode::UNAVAILABLE,
     .metadata = "timer, http_status, attempts",
     .kind = igpt::ErrorKind::kTimeout,
     .when = When::kBeforeFirstEvent,
     .pushback = ErrorRow::Pushback::kNever},
    {.reason = igpt::v1::ERROR_REASON_IGPT_TIMEOUT,
     .code = grpc::StatusCode::DEADLINE_EXCEEDED,
     .metadata = "timer, http_status, attempts, events_delivered",
     .kind = igpt::ErrorKind::kTimeout,
     .calls = ErrorRow::Calls::kStreams,
     .when = When::kAfterFirstEvent},
    {.reason = igpt::v1::ERROR_REASON_DEADLINE,
     .code = grpc::StatusCode::DEADLINE_EXCEEDED,
     .metadata = "attempts, events_delivered",
     .kind = igpt::ErrorKind::kDeadline,
     .calls = ErrorRow::Calls::kAll},
    {.reason = igpt::v1::ERROR_REASON_REQUEST_ABORTED,
     .code = grpc::StatusCode::CANCELLED,
     .metadata = "attempts, events_delivered",
     .kind = igpt::ErrorKind::kAborted,
     .calls = ErrorRow::Calls::kAll},
    {.reason = igpt::v1::ERROR_REASON_STREAM_TRUNCATED,
     .code = grpc::StatusCode::UNAVAILABLE,
     .metadata = "attempts, events_delivered",
     .kind = igpt::ErrorKind::kTruncated,
     .calls = ErrorRow::Calls::kStreams},
    {.reason = igpt::v1::ERROR_REASON_STREAM_MALFORMED,
     .code = grpc::StatusCode::DATA_LOSS,
     .metadata = "attempts, events_delivered",
     .kind = igpt::ErrorKind::kMalformed},
    {.reason = igpt::v1::ERROR_REASON_ANSWER_TOO_LARGE,
     .code = grpc::StatusCode::RESOURCE_EXHAUSTED,
     .metadata = "attempts, events_delivered",
     .kind = igpt::ErrorKind::kTooLarge,
     .pushback = ErrorRow::Pushback::kNever},
    {.reason = igpt::v1::ERROR_REASON_SLOW_CONSUMER,
     .code = grpc::StatusCode::RESOURCE_EXHAUSTED,
     .metadata = "events_delivered",
     .refusal = Refusal::kSlowConsumer,
     .calls = ErrorRow::Calls::kStreams,
     .pushback = ErrorRow::Pushback::kNever,
     .message = "The stream was not read for too long. Read it steadily, or ask again with whole_answer."},
    {.reason = igpt::v1::ERROR_REASON_OVERLOADED,
     .code = grpc::StatusCode::RESOURCE_EXHAUSTED,
     .metadata = "limit",
     .refusal = Refusal::kOverloaded,
     .retry_info = ErrorRow::RetryInfo::kAlways,
     .pushback = ErrorRow::Pushback::kAfterDelay,
     .message = "igptd has no room for this call now. Try again after the delay in RetryInfo."},
    {.reason = igpt::v1::ERROR_REASON_OVERLOADED,
     .code = grpc::StatusCode::RESOURCE_EXHAUSTED,
     .metadata = "limit",
     .refusal = Refusal::kTooManyStandardCalls,
     .calls = ErrorRow::Calls::kUnknown,
     .retry_info = ErrorRow::RetryInfo::kAlways,
     .pushback = ErrorRow::Pushback::kAfterDelay,
     .message = "Too many calls to health, reflection and channelz are open. End the streams that you don't need, and "
                "read every answer. To ask only once, use Health/Check."},
    {.reason = igpt::v1::ERROR_REASON_OVERLOADED,
     .code = grpc::StatusCode::RESOURCE_EXHAUSTED,
     .metadata = "limit",
     .refusal = Refusal::kTooManyRequests,
     .calls = ErrorRow::Calls::kAll,
     .retry_info = ErrorRow::RetryInfo::kAlways,
     .pushback = ErrorRow::Pushback::kAfterDelay,
     .message = "Too many requests are on their way to igptd and not whole. Send each request at once. Try again after "
                "the delay in RetryInfo."},
    {.reason = igpt::v1::ERROR_REASON_REQUEST_TOO_SLOW,
     .code = grpc::StatusCode::DEADLINE_EXCEEDED,
     .metadata = "",
     .refusal = Refusal::kRequestTooSlow,
     .message = "The request was not whole 20 s after the call began. Send the request at once when you start a call."},
    {.reason = igpt::v1::ERROR_REASON_INVALID_REQUEST,
     .code = grpc::StatusCode::RESOURCE_EXHAUSTED,
     .metadata = "",
     .refusal = Refusal::kRequestTooLarge,
     .pushback = ErrorRow::Pushback::kNever,
     .message = "The request is over 4 MiB. Send less."},
    {.reason = igpt::v1::ERROR_REASON_INVALID_REQUEST,
     .code = grpc::StatusCode::INVALID_ARGUMENT,
     .metadata = "",
     .refusal = Refusal::kNoRequest,
     .pushback = ErrorRow::Pushback::kNever,
     .message = "The call has no request message. Send exactly one."},
    {.reason = igpt::v1::ERROR_REASON_SHUTTING_DOWN,
     .code = grpc::StatusCode::UNAVAILABLE,
     .metadata = "events_delivered",
     .refusal = Refusal::kShuttingDown,
     .message = "This igptd is shutting down. Try again."},
    {.reason = igpt::v1::ERROR_REASON_CALLER_UNAUTHENTICATED,
     .code = grpc::StatusCode::UNAUTHENTICATED,
     .metadata = "",
     .refusal = Refusal::kCallerUnauthenticated,
     .calls = ErrorRow::Calls::kAll,
     .pushback = ErrorRow::Pushback::kNever,
     .message = "Unknown caller. Send a bearer token or client certificate from igptd's callers file."},
    {.reason = igpt::v1::ERROR_REASON_CALLER_TOKEN_EXPIRED,
     .code = grpc::StatusCode::UNAUTHENTICATED,
     .metadata = "",
     .refusal = Refusal::kCallerTokenExpired,
     .calls = ErrorRow::Calls::kAll,
     .pushback = ErrorRow::Pushback::kNever,
     .message = "The bearer token has expired. Use its replacement, or ask the operator of this igptd for one."},
    {.reason = igpt::v1::ERROR_REASON_USER_NOT_ALLOWED,
     .code = grpc::StatusCode::PERMISSION_DENIED,
     .metadata = "",
     .refusal = Refusal::kUserNotAllowed,
     .pushback = ErrorRow::Pushback::kNever,
     .message = "The caller may not act for this user. Its entry in the callers file must allow the user."},
    {.reason = igpt::v1::ERROR_REASON_METHOD_NOT_ALLOWED,
     .code = grpc::StatusCode::PERMISSION_DENIED,
     .metadata = "",
     .refusal = Refusal::kMethodNotAllowed,
     .pushback = ErrorRow::Pushback::kNever,
     .message = "The caller may not call this method. Its entry in the callers file must allow the method."},
    {.reason = igpt::v1::ERROR_REASON_UNKNOWN_METHOD,
     .code = grpc::StatusCode::UNIMPLEMENTED,
     .metadata = "",
     .refusal = Refusal::kUnknownMethod,
     .calls = ErrorRow::Calls::kUnknown,
     .pushback = ErrorRow::Pushback::kNever,
     .message = "is not a method of this igptd. Server reflection lists its methods; a newer igptd may have more."},
};

// The row of a refusal, and that of an SDK error in these circumstances. Each exists: see below.
constexpr const ErrorRow& RowOf(Refusal refusal) {
  const ErrorRow* row = kErrorTable;
  while (row->refusal != refusal) ++row;
  return *row;
}
constexpr const ErrorRow& RowOf(igpt::ErrorKind kind, KeyOwner key_owner, bool event_delivered) {
  const auto holds = [&](When when) {
    return when == When::kAlways || when == (key_owner == KeyOwner::kCaller ? When::kCallersKey : When::kOwnKey) ||
           when == (event_delivered ? When::kAfterFirstEvent : When::kBeforeFirstEvent);
  };
  const ErrorRow* row = kErrorTable;
  while (row->kind != kind || !holds(row->when)) ++row;
  return *row;
}

// A new reason, kind or refusal doesn't compile without its row.
namespace error_table_is_complete {

constexpr bool HasEveryReason() {
  for (int reason = 1; reason < igpt::v1::ErrorReason_ARRAYSIZE; ++reason) {
    bool found = false;
    for (const ErrorRow& row : kErrorTable) found = found || row.reason == reason;
    if (!found) return false;
  }
  return true;
}
static_assert(HasEveryReason());

// A kind without a case is a compiler warning, and warnings are errors.
constexpr igpt::ErrorKind LastKind() {
  using igpt::ErrorKind;
  switch (ErrorKind()) {
    case ErrorKind::kInvalidRequest:
    case ErrorKind::kParams:
    case ErrorKind::kAuth:
    case ErrorKind::kApi:
    case ErrorKind::kNotFound:
    case ErrorKind::kRateLimited:
    case ErrorKind::kUnavailable:
    case ErrorKind::kNetwork:
    case ErrorKind::kTls:
    case ErrorKind::kConfiguration:
    case ErrorKind::kProtocol:
    case ErrorKind::kTimeout:
    case ErrorKind::kDeadline:
    case ErrorKind::kAborted:
    case ErrorKind::kTruncated:
    case ErrorKind::kMalformed:
    case ErrorKind::kTooLarge:
      break;
  }
  return ErrorKind::kTooLarge;
}

// Reading past the table's end is not a constant expression, so a missing row fails to compile.
constexpr bool HasEveryKind() {
  for (int kind = 0; kind <= static_cast<int>(LastKind()); ++kind) {
    for (const KeyOwner owner : {KeyOwner::kIgptd, KeyOwner::kCaller}) {
      for (const bool event_delivered : {false, true}) {
        RowOf(static_cast<igpt::ErrorKind>(kind), owner, event_delivered);
      }
    }
  }
  return true;
}
static_assert(HasEveryKind());

constexpr bool HasEveryRefusal() {
  for (int refusal = 0; refusal <= static_cast<int>(kLastRefusal); ++refusal) RowOf(static_cast<Refusal>(refusal));
  return true;
}
static_assert(HasEveryRefusal());

constexpr bool RowsAreSound() {
  for (const ErrorRow& row : kErrorTable) {
    if (row.kind.has_value() == row.refusal.has_value()) return false;
    if (row.refusal.has_value() != (row.message != nullptr)) return false;
  }
  return true;
}
static_assert(RowsAreSound());

}  // namespace error_table_is_complete

}  // namespace igptd
