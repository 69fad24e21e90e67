#include "igpt/error.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "igpt/internal/base/string_view.h"

namespace igpt::inline sdk_v1 {
namespace {

using internal::AbslView;

// The facts travel with the status under this name, and iGPT's headers under the other.
constexpr char kPayload[] = "igpt/error";
constexpr char kHeadersPayload[] = "igpt/headers";

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
    {ErrorKind::kTls, "tls", absl::StatusCode::kFailedPrecondition, false},
    {ErrorKind::kConfiguration, "configuration", absl::StatusCode::kFailedPrecondition, false},
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

// A value as a word that a person can read in a printed status, which escapes quotes.
std::string AsWord(std::string_view value) {
  constexpr std::string_view kEscaped = "%,'\"\\";
  std::string word;
  for (const char c : value) {
    const bool plain = absl::ascii_isgraph(static_cast<unsigned char>(c)) && kEscaped.find(c) == kEscaped.npos;
    if (plain) {
      word.push_back(c);
    } else {
      absl::StrAppendFormat(&word, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return word;
}

std::string FromWord(absl::string_view word) {
  std::string value;
  for (size_t i = 0; i < word.size(); ++i) {
    uint32_t code = 0;
    if (word[i] == '%' && i + 2 < word.size() && absl::SimpleHexAtoi(word.substr(i + 1, 2), &code)) {
      value.push_back(static_cast<char>(code));
      i += 2;
    } else {
      value.push_back(word[i]);
    }
  }
  return value;
}

// "kind=unavailable http_status=503 attempts=3 …": what is known of the error.
std::string Encode(const Error& error) {
  std::string words = absl::StrCat("kind=", AbslView(InfoOf(error.kind).name));
  const auto add = [&words](absl::string_view name, std::string_view value) {
    if (!value.empty()) absl::StrAppend(&words, " ", name, "=", AsWord(value));
  };
  const auto add_number = [&add](absl::string_view name, int64_t number) {
    if (number != 0) add(name, std::to_string(number));
  };
  const auto add_duration = [&add](absl::string_view name, absl::Duration duration) {
    if (duration != absl::ZeroDuration()) add(name, absl::FormatDuration(duration));
  };
  for (const FieldViolation& violation : error.violations) {
    absl::StrAppend(&words, " violation=", AsWord(violation.field), ",", AsWord(violation.description));
  }
  add("api_code", error.api_code);
  add("timer", error.timer);
  if (error.retry_after.has_value()) add("retry_after", absl::FormatDuration(*error.retry_after));
  add_number("events_delivered", error.events_delivered);
  const CallInfo& call = error.call;
  add_number("http_status", call.http_status);
  add_number("attempts", call.attempts);
  add("request_id", call.request_id);
  if (call.start_time != absl::InfinitePast()) {
    add("start_time", absl::FormatTime(absl::RFC3339_full, call.start_time, absl::UTCTimeZone()));
  }
  add_duration("time_to_answer", call.time_to_answer);
  add_duration("duration", call.duration);
  return words;
}

template <typename Number>
void ReadNumber(absl::string_view word, Number* number) {
  if (Number read = 0; absl::SimpleAtoi(word, &read)) *number = read;
}

void ReadDuration(const std::string& value, absl::Duration* duration) {
  if (absl::Duration read; absl::ParseDuration(value, &read)) *duration = read;
}

// One of the facts that Encode() wrote. What it doesn't know it leaves out: another version may have written it.
void Read(absl::string_view name, absl::string_view word, Error* error) {
  const std::string value = FromWord(word);
  CallInfo& call = error->call;
  if (name == "violation") {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(word, absl::MaxSplits(',', 1));
    error->violations.push_back({FromWord(parts.first), FromWord(parts.second)});
  }
  if (name == "api_code") error->api_code = value;
  if (name == "timer") error->timer = value;
  if (absl::Duration delay; name == "retry_after" && absl::ParseDuration(value, &delay)) error->retry_after = delay;
  if (name == "events_delivered") ReadNumber(word, &error->events_delivered);
  if (name == "http_status") ReadNumber(word, &call.http_status);
  if (name == "attempts") ReadNumber(word, &call.attempts);
  if (name == "request_id") call.request_id = value;
  if (name == "start_time") absl::ParseTime(absl::RFC3339_full, value, &call.start_time, /*err=*/nullptr);
  if (name == "time_to_answer") ReadDuration(value, &call.time_to_answer);
  if (name == "duration") ReadDuration(value, &call.duration);
}

std::optional<Error> Decode(const std::string& words) {
  std::optional<Error> error;
  for (const absl::string_view word : absl::StrSplit(words, ' ')) {
    const std::pair<absl::string_view, absl::string_view> fact = absl::StrSplit(word, absl::MaxSplits('=', 1));
    if (error.has_value()) {
      Read(fact.first, fact.second, &*error);
      continue;
    }
    if (fact.first != "kind") return std::nullopt;  // it is the first
    const auto* info = std::find_if(std::begin(kKinds), std::end(kKinds),
                                    [&](const auto& row) { return AbslView(row.name) == fact.second; });
    if (info == std::end(kKinds)) return std::nullopt;
    error.emplace().kind = info->kind;
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
  if (!error.call.headers.empty()) status.SetPayload(kHeadersPayload, absl::Cord(error.call.headers.lines()));
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
  std::optional<Error> error = Decode(std::string(*payload));
  if (!error.has_value()) return std::nullopt;
  if (const absl::optional<absl::Cord> headers = status.GetPayload(kHeadersPayload); headers.has_value()) {
    error->call.headers = ResponseHeaders(std::string(*headers));
  }
  return error;
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

}  // namespace igpt::inline sdk_v1
