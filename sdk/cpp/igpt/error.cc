#include "igpt/error.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace igpt {
namespace {

using Json = nlohmann::json;

// The facts travel with the status as JSON under this name.
constexpr char kPayload[] = "igpt/error";

struct KindInfo {
  ErrorKind kind;
  std::string_view name;
  absl::StatusCode code;
  bool retryable;
};

// In the order of ErrorKind.
constexpr KindInfo kKinds[] = {
    {ErrorKind::kInvalidRequest, "invalid_request", absl::StatusCode::kInvalidArgument, false},
    {ErrorKind::kParams, "params", absl::StatusCode::kInvalidArgument, false},
    {ErrorKind::kAuth, "auth", absl::StatusCode::kUnauthenticated, false},
    {ErrorKind::kApi, "api", absl::StatusCode::kUnknown, false},
    {ErrorKind::kNotFound, "not_found", absl::StatusCode::kNotFound, false},
    {ErrorKind::kRateLimited, "rate_limited", absl::StatusCode::kResourceExhausted, true},
    {ErrorKind::kUnavailable, "unavailable", absl::StatusCode::kUnavailable, true},
    {ErrorKind::kNetwork, "network", absl::StatusCode::kUnavailable, true},
    {ErrorKind::kProtocol, "protocol", absl::StatusCode::kInternal, false},
    {ErrorKind::kTimeout, "timeout", absl::StatusCode::kUnavailable, true},
    {ErrorKind::kDeadline, "deadline", absl::StatusCode::kDeadlineExceeded, false},
    {ErrorKind::kAborted, "aborted", absl::StatusCode::kCancelled, false},
    {ErrorKind::kTruncated, "truncated", absl::StatusCode::kUnavailable, true},
    {ErrorKind::kMalformed, "malformed", absl::StatusCode::kDataLoss, false},
    {ErrorKind::kTooLarge, "too_large", absl::StatusCode::kResourceExhausted, false},
};
static_assert(std::size(kKinds) == static_cast<size_t>(ErrorKind::kTooLarge) + 1);

const KindInfo& InfoOf(ErrorKind kind) {
  return kKinds[static_cast<size_t>(kind)];
}

absl::StatusCode CodeOf(const Error& error) {
  if (error.kind == ErrorKind::kTimeout && error.events_delivered > 0) return absl::StatusCode::kDeadlineExceeded;
  return InfoOf(error.kind).code;
}

std::string Encode(const Error& error) {
  Json json = {{"kind", InfoOf(error.kind).name},
               {"api_code", error.api_code},
               {"http_status", error.http_status},
               {"timer", error.timer},
               {"events_delivered", error.events_delivered},
               {"attempts", error.attempts}};
  if (error.retry_after) json["retry_after_ns"] = absl::ToInt64Nanoseconds(*error.retry_after);
  for (const FieldViolation& violation : error.violations) {
    json["violations"].push_back({{"field", violation.field}, {"description", violation.description}});
  }
  // Replacing what is not UTF-8 is what keeps dump() from throwing.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// The value at `key`, unless it is missing or of another type.
std::optional<int64_t> IntegerAt(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<int64_t>();
}
std::string StringAt(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<Error> Decode(const std::string& text) {
  const Json json = Json::parse(text, /*cb=*/nullptr, /*allow_exceptions=*/false);
  const std::string kind = StringAt(json, "kind");
  const auto info = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const auto& i) { return i.name == kind; });
  if (info == std::end(kKinds)) return std::nullopt;

  Error error;
  error.kind = info->kind;
  error.api_code = StringAt(json, "api_code");
  error.http_status = static_cast<int>(IntegerAt(json, "http_status").value_or(0));
  error.timer = StringAt(json, "timer");
  error.events_delivered = IntegerAt(json, "events_delivered").value_or(0);
  error.attempts = static_cast<int>(IntegerAt(json, "attempts").value_or(0));
  if (const auto retry_after = IntegerAt(json, "retry_after_ns")) error.retry_after = absl::Nanoseconds(*retry_after);
  const auto violations = json.find("violations");
  if (violations != json.end()) {
    for (const Json& violation : *violations) {
      error.violations.push_back({StringAt(violation, "field"), StringAt(violation, "description")});
    }
  }
  return error;
}

}  // namespace

std::string_view ErrorKindName(ErrorKind kind) {
  return InfoOf(kind).name;
}

absl::Status MakeStatus(const Error& error, std::string_view message) {
  absl::Status status(CodeOf(error), std::string(message));
  status.SetPayload(kPayload, absl::Cord(Encode(error)));
  return status;
}

absl::Status MakeStatus(ErrorKind kind, std::string_view message) {
  Error error;
  error.kind = kind;
  return MakeStatus(error, message);
}

std::optional<Error> ErrorOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayload);
  if (!payload) return std::nullopt;
  return Decode(std::string(*payload));
}

std::optional<ErrorKind> KindOf(const absl::Status& status) {
  const std::optional<Error> error = ErrorOf(status);
  return error.has_value() ? std::optional(error->kind) : std::nullopt;
}

bool IsRetryable(const absl::Status& status) {
  const std::optional<ErrorKind> kind = KindOf(status);
  return kind.has_value() && InfoOf(*kind).retryable;
}

absl::Status InvalidRequest(std::vector<FieldViolation> violations) {
  const std::string message = absl::StrJoin(violations, "; ", [](std::string* out, const FieldViolation& violation) {
    absl::StrAppend(out, violation.field, ": ", violation.description);
  });
  Error error;
  error.kind = ErrorKind::kInvalidRequest;
  error.violations = std::move(violations);
  return MakeStatus(error, message);
}

}  // namespace igpt
