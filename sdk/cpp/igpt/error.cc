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

// The facts travel with the status under the first name, what takes lines under the others.
constexpr char kPayload[] = "igpt/error";
constexpr char kViolationsPayload[] = "igpt/violations";
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

// A value with %XX in place of some characters, and the reverse.
template <typename IsPlain>
std::string Escaped(std::string_view value, IsPlain is_plain) {
  std::string escaped;
  for (const char c : value) {
    if (c != '%' && is_plain(c)) {
      escaped.push_back(c);
    } else {
      absl::StrAppendFormat(&escaped, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return escaped;
}

std::string Unescaped(absl::string_view word) {
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

// As a word. Abseil escapes quotes when it prints a status.
std::string AsWord(std::string_view value) {
  static constexpr std::string_view kQuotes = "'\"\\";
  return Escaped(value, [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c)) && kQuotes.find(c) == kQuotes.npos;
  });
}

// "user: must be set", a line each.
std::string LinesOf(const std::vector<FieldViolation>& violations) {
  const auto in_line = [](char c) { return !absl::ascii_iscntrl(static_cast<unsigned char>(c)); };
  std::string lines;
  for (const FieldViolation& violation : violations) {
    absl::StrAppend(&lines, lines.empty() ? "" : "\n",
                    Escaped(violation.field, [&](char c) { return c != ':' && in_line(c); }), ": ",
                    Escaped(violation.description, in_line));
  }
  return lines;
}

std::vector<FieldViolation> ViolationsIn(absl::string_view lines) {
  std::vector<FieldViolation> violations;
  for (const absl::string_view line : absl::StrSplit(lines, '\n')) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(": ", 1));
    violations.push_back({Unescaped(parts.first), Unescaped(parts.second)});
  }
  return violations;
}

// "kind=unavailable http_status=503 attempts=3 …": what is known of the error, but for violations and headers.
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
  const std::string value = Unescaped(word);
  CallInfo& call = error->call;
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
  if (!error.violations.empty()) status.SetPayload(kViolationsPayload, absl::Cord(LinesOf(error.violations)));
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
  if (const absl::optional<absl::Cord> violations = status.GetPayload(kViolationsPayload); violations.has_value()) {
    error->violations = ViolationsIn(std::string(*violations));
  }
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
