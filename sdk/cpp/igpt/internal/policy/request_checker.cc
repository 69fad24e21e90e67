#include "igpt/internal/policy/request_checker.h"

#include <simdjson.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "igpt/internal/base/string_view.h"
#include "igpt/internal/json/status.h"
#include "igpt/internal/policy/visible.h"

namespace igpt::internal {
namespace {

// The calendar day that YYYY-MM-DD names. Formatting it again shows whether the text had that form.
std::optional<absl::CivilDay> ParseDay(std::string_view text) {
  absl::CivilDay day;
  if (!absl::ParseCivilTime(AbslView(text), &day) || absl::FormatCivilTime(day) != text) return std::nullopt;
  if (day.year() < 1000 || day.year() > 9999) return std::nullopt;
  return day;
}

bool IsToken(std::string_view name) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  const auto is_token = [](unsigned char c) { return absl::ascii_isalnum(c) || kMarks.find(c) != kMarks.npos; };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_token);
}

// Headers that the library sets, or that would change how the message is framed.
bool IsReserved(std::string_view name) {
  static constexpr std::string_view kReserved[] = {
      "Accept", "Accept-Encoding", "Authorization",     "Connection", "Content-Type", "Content-Length", "Expect",
      "Host",   "Trailer",         "Transfer-Encoding", "Upgrade",    "User-Agent",   "X-Client",       "X-Request-Id"};
  return std::any_of(std::begin(kReserved), std::end(kReserved), [name](std::string_view reserved) {
    return absl::EqualsIgnoreCase(AbslView(name), AbslView(reserved));
  });
}

// An empty value is refused: libcurl would leave the header out.
bool IsHeaderValue(std::string_view value) {
  return !value.empty() && value.front() != ' ' && value.back() != ' ' &&
         std::all_of(value.begin(), value.end(), absl::ascii_isprint);
}

// Of the W3C's Trace Context, in version 00: ids that are not all 0, and flags.
bool IsTraceparent(std::string_view text) {
  constexpr std::string_view kShape = "00-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
  const auto fits = [](char c, char shape) {
    return shape == 'x' ? absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f') : c == shape;
  };
  const auto is_zero = [](std::string_view id) { return id.find_first_not_of('0') == id.npos; };
  return text.size() == kShape.size() && std::equal(text.begin(), text.end(), kShape.begin(), fits) &&
         !is_zero(text.substr(3, 32)) && !is_zero(text.substr(36, 16));
}

}  // namespace

void RequestChecker::Add(std::string_view field, std::string description) {
  violations_.push_back({std::string(field), std::move(description)});
}

void RequestChecker::User(std::string_view own) {
  violations_.swap(of_user_);
  if (own.empty() && default_user_.empty()) Add("user", "must be set, because there is no default user");
  UserName(own.empty() ? default_user_ : own);
  violations_.swap(of_user_);
}

// Users are compared byte for byte, so no two of them may look the same for want of something to see.
void RequestChecker::UserName(std::string_view user) {
  Text("user", user, kMaxNameBytes);
  if (user.empty()) return;
  const bool holds_control = std::any_of(user.begin(), user.end(), absl::ascii_iscntrl);
  if (holds_control || (simdjson::validate_utf8(user) && HoldsInvisible(user))) {
    Add("user",
        "must not hold control characters, such as line ends, or others that can't be seen: zero-width, bidirectional "
        "and other format characters, and blanks other than spaces");
  }
  if (user.front() == ' ' || user.back() == ' ') Add("user", "must not begin or end with a space");
}

void RequestChecker::Text(std::string_view name, std::string_view value, size_t max_bytes) {
  if (value.size() > max_bytes) Add(name, absl::StrCat("must be at most ", max_bytes, " bytes"));
  if (!simdjson::validate_utf8(value)) Add(name, "must be valid UTF-8");
}

void RequestChecker::RequiredText(std::string_view name, std::string_view value, size_t max_bytes) {
  if (value.empty()) Add(name, "must be set");
  Text(name, value, max_bytes);
}

void RequestChecker::Name(std::string_view name, std::string_view value, size_t max_bytes) {
  Text(name, value, max_bytes);
  if (std::any_of(value.begin(), value.end(), absl::ascii_iscntrl)) {
    Add(name, "must not hold control characters, such as line ends");
  }
}

void RequestChecker::RequiredName(std::string_view name, std::string_view value) {
  if (value.empty()) Add(name, "must be set");
  Name(name, value);
}

void RequestChecker::Days(std::string_view from_name, std::string_view from, std::string_view to_name,
                          std::string_view to) {
  const auto check = [this](std::string_view name, std::string_view value) -> std::optional<absl::CivilDay> {
    if (value.empty()) return std::nullopt;
    const std::optional<absl::CivilDay> day = ParseDay(value);
    if (!day) Add(name, "must be a calendar day, written YYYY-MM-DD");
    return day;
  };
  const std::optional<absl::CivilDay> first = check(from_name, from);
  const std::optional<absl::CivilDay> last = check(to_name, to);
  if (first && last && *last < *first) Add(to_name, absl::StrCat("must not be before ", AbslView(from_name)));
}

void RequestChecker::Count(std::string_view name, int value) {
  if (value < 0) Add(name, "must not be negative");
}

void RequestChecker::Format(const OutputFormat& format) {
  constexpr std::string_view kSchema = "output_format.json_schema.schema";
  if (format.kind != OutputFormat::Kind::kJsonSchema) return;
  if (format.schema.empty()) {
    Add(kSchema, "must be set");
  } else if (format.schema.size() > kMaxSchemaBytes) {
    Add(kSchema, absl::StrCat("must be at most ", kMaxSchemaBytes, " bytes"));
  } else if (const absl::Status status = CheckJsonObject(format.schema); !status.ok()) {
    Add(kSchema, std::string(status.message()));
  }
  Name("output_format.json_schema.name", format.name);
}

std::vector<FieldViolation> RequestChecker::Finish() && {
  of_user_.insert(of_user_.end(), std::make_move_iterator(violations_.begin()),
                  std::make_move_iterator(violations_.end()));
  return std::move(of_user_);
}

std::vector<FieldViolation> Check(const CallOptions& options) {
  std::vector<FieldViolation> violations;
  if (!options.api_key.empty()) {
    if (const absl::Status key = ValidateApiKey(options.api_key); !key.ok()) violations = ErrorOf(key)->violations;
  }
  if (!options.request_id.empty() && !IsHeaderValue(options.request_id)) {
    violations.push_back({"request_id", "must be visible ASCII, with spaces only inside"});
  }
  if (options.request_id.size() > kMaxNameBytes) {
    violations.push_back({"request_id", absl::StrCat("must be at most ", kMaxNameBytes, " bytes")});
  }
  if (!options.traceparent.empty() && !IsTraceparent(options.traceparent)) {
    violations.push_back({"traceparent", "must be a W3C traceparent of version 00"});
  }
  for (FieldViolation& violation : CheckHeaders(options.headers)) violations.push_back(std::move(violation));
  const bool twice = std::any_of(options.headers.begin(), options.headers.end(), [](const auto& header) {
    return absl::EqualsIgnoreCase(header.first, "traceparent");
  });
  if (twice && !options.traceparent.empty()) {
    violations.push_back({"traceparent", "must not be set if headers has a traceparent too; remove one of them"});
  }
  return violations;
}

std::vector<FieldViolation> CheckHeaders(const std::vector<std::pair<std::string, std::string>>& headers) {
  std::vector<FieldViolation> violations;
  for (size_t i = 0; i < headers.size(); ++i) {
    const auto& [name, value] = headers[i];
    const std::string shown = IsToken(name) ? absl::StrCat(" (", name, ") ") : " ";
    const auto add = [&](const char* what) {
      violations.push_back({"headers", absl::StrCat("header ", i + 1, shown, what)});
    };
    if (!IsToken(name)) add("has a name that is not a token (letters, digits and some marks)");
    if (IsReserved(name))
      add("is one that the library sets itself: leave it out; X-Request-Id is CallOptions::request_id");
    if (!IsHeaderValue(value)) add("has a value that is empty, or is not visible ASCII with spaces only inside");
  }
  return violations;
}

}  // namespace igpt::internal
