#include "service/errors/errors.h"

#include <array>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "igpt/error.h"
#include "service/api/translate.h"

namespace igptd {
namespace {

namespace v1 = igpt::v1;

// The message is in a status twice, beside and in the details; what both leave is for the violations.
constexpr size_t kMaxMessageBytes = 400;
constexpr size_t kMaxMetadataBytes = 100;
constexpr size_t kMaxFieldBytes = 100;
constexpr size_t kMaxDescriptionBytes = 300;
// What an Any of a BadRequest costs beside its value: the type's URL, tags and lengths.
constexpr size_t kAnyBytes = 50;
// What "and 123456 more" costs.
constexpr size_t kMoreBytes = 32;

struct Row {
  v1::ErrorReason reason;
  grpc::StatusCode code;
};

Row RowOf(const igpt::Error& error, KeyOwner key_owner) {
  using igpt::ErrorKind;
  switch (error.kind) {
    case ErrorKind::kInvalidRequest:
      return {v1::ERROR_REASON_INVALID_REQUEST, grpc::StatusCode::INVALID_ARGUMENT};
    case ErrorKind::kParams:
      return {v1::ERROR_REASON_IGPT_PARAMS, grpc::StatusCode::INVALID_ARGUMENT};
    case ErrorKind::kAuth:
      return {v1::ERROR_REASON_IGPT_AUTH, key_owner == KeyOwner::kCaller ? grpc::StatusCode::UNAUTHENTICATED
                                                                         : grpc::StatusCode::FAILED_PRECONDITION};
    case ErrorKind::kApi:
      return {v1::ERROR_REASON_IGPT_ERROR, grpc::StatusCode::UNKNOWN};
    case ErrorKind::kNotFound:
      return {v1::ERROR_REASON_IGPT_NOT_FOUND, grpc::StatusCode::NOT_FOUND};
    case ErrorKind::kRateLimited:
      return {v1::ERROR_REASON_IGPT_RATE_LIMITED, grpc::StatusCode::RESOURCE_EXHAUSTED};
    case ErrorKind::kUnavailable:
      return {v1::ERROR_REASON_IGPT_UNAVAILABLE, grpc::StatusCode::UNAVAILABLE};
    case ErrorKind::kNetwork:
      return {v1::ERROR_REASON_NETWORK_ERROR, grpc::StatusCode::UNAVAILABLE};
    case ErrorKind::kProtocol:
      return {v1::ERROR_REASON_IGPT_PROTOCOL, grpc::StatusCode::INTERNAL};
    case ErrorKind::kTimeout:
      // UNAVAILABLE invites a retry, which is right only while nothing was delivered.
      return {v1::ERROR_REASON_IGPT_TIMEOUT,
              error.events_delivered == 0 ? grpc::StatusCode::UNAVAILABLE : grpc::StatusCode::DEADLINE_EXCEEDED};
    case ErrorKind::kDeadline:
      return {v1::ERROR_REASON_DEADLINE, grpc::StatusCode::DEADLINE_EXCEEDED};
    case ErrorKind::kAborted:
      return {v1::ERROR_REASON_REQUEST_ABORTED, grpc::StatusCode::CANCELLED};
    case ErrorKind::kTruncated:
      return {v1::ERROR_REASON_STREAM_TRUNCATED, grpc::StatusCode::UNAVAILABLE};
    case ErrorKind::kMalformed:
      return {v1::ERROR_REASON_STREAM_MALFORMED, grpc::StatusCode::DATA_LOSS};
    case ErrorKind::kTooLarge:
      return {v1::ERROR_REASON_ANSWER_TOO_LARGE, grpc::StatusCode::RESOURCE_EXHAUSTED};
  }
  return {v1::ERROR_REASON_IGPT_PROTOCOL, grpc::StatusCode::INTERNAL};
}

struct RefusalRow {
  Row row;
  const char* message;
};

RefusalRow RowOf(Refusal refusal) {
  switch (refusal) {
    case Refusal::kSlowConsumer:
      return {{v1::ERROR_REASON_SLOW_CONSUMER, grpc::StatusCode::RESOURCE_EXHAUSTED},
              "The stream was not read for too long: read it steadily, or ask again with whole_answer."};
    case Refusal::kMetadataTooLarge:
      return {{v1::ERROR_REASON_INVALID_REQUEST, grpc::StatusCode::RESOURCE_EXHAUSTED},
              "The call's metadata is over 8 KiB: send less of it."};
    case Refusal::kOverloaded:
      return {{v1::ERROR_REASON_OVERLOADED, grpc::StatusCode::RESOURCE_EXHAUSTED},
              "igptd has no room for this call now: try again after the delay in RetryInfo."};
    case Refusal::kShuttingDown:
      return {{v1::ERROR_REASON_SHUTTING_DOWN, grpc::StatusCode::UNAVAILABLE},
              "This igptd is shutting down: try again, another one will answer."};
    case Refusal::kCallerUnauthenticated:
      return {{v1::ERROR_REASON_CALLER_UNAUTHENTICATED, grpc::StatusCode::UNAUTHENTICATED},
              "The caller is not known: send the bearer token or client certificate that igptd knows it by."};
    case Refusal::kUserNotAllowed:
      return {{v1::ERROR_REASON_USER_NOT_ALLOWED, grpc::StatusCode::PERMISSION_DENIED},
              "The caller may not act for this user: its entry in the callers file has to allow it."};
    case Refusal::kMethodNotAllowed:
      return {{v1::ERROR_REASON_METHOD_NOT_ALLOWED, grpc::StatusCode::PERMISSION_DENIED},
              "The caller may not call this method: its entry in the callers file has to allow it."};
  }
  return {{v1::ERROR_REASON_IGPT_PROTOCOL, grpc::StatusCode::INTERNAL}, "igptd met an unknown refusal."};
}

// At most `max` bytes of UTF-8: cut between two characters, with an ellipsis for what is gone.
std::string Cut(absl::string_view text, size_t max) {
  if (text.size() <= max) return std::string(text);
  constexpr absl::string_view kEllipsis = "…";
  size_t end = max - kEllipsis.size();
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;  // 10xxxxxx continues a character
  return absl::StrCat(text.substr(0, end), kEllipsis);
}

google::rpc::ErrorInfo MakeErrorInfo(v1::ErrorReason reason) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(ReasonName(reason)));
  info.set_domain("igptd");
  return info;
}

google::rpc::ErrorInfo MakeErrorInfo(v1::ErrorReason reason, const igpt::Error& error) {
  google::rpc::ErrorInfo info = MakeErrorInfo(reason);
  auto& metadata = *info.mutable_metadata();
  const bool broken_stream = error.kind == igpt::ErrorKind::kTruncated || error.kind == igpt::ErrorKind::kMalformed;
  if (!error.api_code.empty()) metadata["igpt_error"] = Cut(error.api_code, kMaxMetadataBytes);
  if (error.http_status != 0) metadata["http_status"] = absl::StrCat(error.http_status);
  if (!error.timer.empty()) metadata["timer"] = Cut(error.timer, kMaxMetadataBytes);
  if (error.events_delivered > 0 || broken_stream) metadata["events_delivered"] = absl::StrCat(error.events_delivered);
  if (error.attempts > 0) metadata["attempts"] = absl::StrCat(error.attempts);
  return info;
}

std::optional<absl::Duration> RetryDelay(const igpt::Error& error) {
  if (error.kind == igpt::ErrorKind::kRateLimited) return error.retry_after.value_or(kDefaultRetryDelay);
  if (error.kind == igpt::ErrorKind::kUnavailable || error.kind == igpt::ErrorKind::kNetwork) return error.retry_after;
  return std::nullopt;
}

// As many of the violations as fit; when not all do, a last one says how many more there are.
google::rpc::BadRequest MakeBadRequest(const std::vector<igpt::FieldViolation>& violations, size_t max_bytes) {
  google::rpc::BadRequest bad;
  for (size_t i = 0; i < violations.size(); ++i) {
    auto* violation = bad.add_field_violations();
    violation->set_field(Cut(violations[i].field, kMaxFieldBytes));
    violation->set_description(Cut(violations[i].description, kMaxDescriptionBytes));
    const size_t more_after = violations.size() - i - 1;
    if (bad.ByteSizeLong() + (more_after == 0 ? 0 : kMoreBytes) > max_bytes) {
      violation->clear_field();
      violation->set_description(absl::StrCat("and ", more_after + 1, " more"));
      break;
    }
  }
  return bad;
}

CallStatus Make(Row row, absl::string_view message, const google::rpc::ErrorInfo& info,
                std::optional<absl::Duration> retry_delay, const std::vector<igpt::FieldViolation>& violations) {
  google::rpc::Status details;
  details.set_code(row.code);
  details.set_message(Cut(message, kMaxMessageBytes));
  details.add_details()->PackFrom(info);
  if (retry_delay) {
    google::rpc::RetryInfo retry;
    *retry.mutable_retry_delay() = ToProto(*retry_delay);
    details.add_details()->PackFrom(retry);
  }
  if (!violations.empty()) {
    const size_t used = details.message().size() + details.ByteSizeLong() + kAnyBytes;
    details.add_details()->PackFrom(MakeBadRequest(violations, kMaxStatusBytes - used));
  }
  return {grpc::Status(row.code, details.message(), details.SerializeAsString()), row.reason};
}

}  // namespace

CallStatus ToCallStatus(const absl::Status& status, KeyOwner key_owner) {
  if (status.ok()) return {};
  const std::optional<igpt::Error> error = igpt::ErrorOf(status);
  if (!error) {
    const Row row = {v1::ERROR_REASON_IGPT_PROTOCOL, grpc::StatusCode::INTERNAL};
    return Make(row, "igptd met an error that it has no name for: please report it.", MakeErrorInfo(row.reason),
                std::nullopt, {});
  }
  const Row row = RowOf(*error, key_owner);
  return Make(row, status.message(), MakeErrorInfo(row.reason, *error), RetryDelay(*error), error->violations);
}

CallStatus ToCallStatus(Refusal refusal, const RefusalFacts& facts) {
  const auto [row, message] = RowOf(refusal);
  google::rpc::ErrorInfo info = MakeErrorInfo(row.reason);
  if (facts.events_delivered > 0) (*info.mutable_metadata())["events_delivered"] = absl::StrCat(facts.events_delivered);
  if (!facts.limit.empty()) (*info.mutable_metadata())["limit"] = std::string(facts.limit);
  std::optional<absl::Duration> retry_delay;
  if (refusal == Refusal::kOverloaded) retry_delay = facts.retry_after.value_or(kDefaultRetryDelay);
  return Make(row, message, info, retry_delay, {});
}

std::string_view CodeName(grpc::StatusCode code) {
  constexpr std::array<std::string_view, 17> kNames = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return code >= 0 && static_cast<size_t>(code) < kNames.size() ? kNames[code] : "UNKNOWN";
}

std::string_view ReasonName(v1::ErrorReason reason) {
  std::string_view name = v1::ErrorReason_Name(reason);  // static
  constexpr std::string_view kPrefix = "ERROR_REASON_";
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  return name;
}

}  // namespace igptd
