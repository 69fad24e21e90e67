#include "igpt/internal/policy/request_check.h"

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

namespace igpt::internal {
namespace {

using Violations = std::vector<FieldViolation>;

void Add(std::string_view field, std::string description, Violations& violations) {
  violations.push_back({std::string(field), std::move(description)});
}

void CheckRequired(std::string_view field, std::string_view value, Violations& violations) {
  if (value.empty()) Add(field, "must be set", violations);
}

void CheckText(std::string_view field, std::string_view value, size_t max_bytes, Violations& violations) {
  if (value.size() > max_bytes) Add(field, absl::StrCat("must be at most ", max_bytes, " bytes"), violations);
  if (!simdjson::validate_utf8(value)) Add(field, "must be valid UTF-8", violations);
}

// For a text that could end up in a header, a URL or a log.
void CheckName(std::string_view field, std::string_view value, size_t max_bytes, Violations& violations) {
  CheckText(field, value, max_bytes, violations);
  if (std::any_of(value.begin(), value.end(), absl::ascii_iscntrl)) {
    Add(field, "must not hold control characters, such as line ends", violations);
  }
}

void CheckUser(std::string_view user, std::string_view default_user, Violations& violations) {
  if (user.empty() && default_user.empty()) Add("user", "must be set, because there is no default user", violations);
  CheckName("user", user.empty() ? default_user : user, kMaxNameBytes, violations);
}

void CheckOutputFormat(const OutputFormat& format, Violations& violations) {
  constexpr std::string_view kSchema = "output_format.json_schema.schema";
  if (format.kind != OutputFormat::Kind::kJsonSchema) return;
  if (format.schema.empty()) {
    Add(kSchema, "must be set", violations);
  } else if (format.schema.size() > kMaxSchemaBytes) {
    Add(kSchema, absl::StrCat("must be at most ", kMaxSchemaBytes, " bytes"), violations);
  } else if (const absl::Status status = CheckJsonObject(format.schema); !status.ok()) {
    Add(kSchema, std::string(status.message()), violations);
  }
  CheckName("output_format.json_schema.name", format.name, kMaxNameBytes, violations);
}

// The calendar day that YYYY-MM-DD names. Formatting it again shows whether the text had that form.
std::optional<absl::CivilDay> ParseDay(std::string_view text) {
  absl::CivilDay day;
  if (!absl::ParseCivilTime(AbslView(text), &day) || absl::FormatCivilTime(day) != text) return std::nullopt;
  if (day.year() < 1000 || day.year() > 9999) return std::nullopt;
  return day;
}

std::optional<absl::CivilDay> CheckDate(std::string_view field, std::string_view value, Violations& violations) {
  if (value.empty()) return std::nullopt;
  const std::optional<absl::CivilDay> day = ParseDay(value);
  if (!day) Add(field, "must be a calendar day, written YYYY-MM-DD", violations);
  return day;
}

bool IsToken(std::string_view name) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  const auto is_token = [](unsigned char c) { return absl::ascii_isalnum(c) || kMarks.find(c) != kMarks.npos; };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_token);
}

// Headers that the library sets, or that would change how the message is framed.
bool IsReserved(std::string_view name) {
  static constexpr std::string_view kReserved[] = {"Accept",       "Accept-Encoding",   "Authorization", "Connection",
                                                   "Content-Type", "Content-Length",    "Expect",        "Host",
                                                   "Trailer",      "Transfer-Encoding", "Upgrade",       "X-Client"};
  return std::any_of(std::begin(kReserved), std::end(kReserved), [name](std::string_view reserved) {
    return absl::EqualsIgnoreCase(AbslView(name), AbslView(reserved));
  });
}

// An empty value is refused: libcurl would leave the header out.
bool IsHeaderValue(std::string_view value) {
  return !value.empty() && value.front() != ' ' && value.back() != ' ' &&
         std::all_of(value.begin(), value.end(), absl::ascii_isprint);
}

}  // namespace

Violations Check(const AskRequest& request, std::string_view default_user) {
  Violations violations;
  CheckUser(request.user, default_user, violations);
  CheckRequired("input", request.input, violations);
  CheckText("input", request.input, kMaxInputBytes, violations);
  CheckName("quality", request.quality, kMaxNameBytes, violations);
  CheckOutputFormat(request.output_format, violations);
  return violations;
}

Violations Check(const SearchRequest& request, std::string_view default_user) {
  Violations violations;
  CheckUser(request.user, default_user, violations);
  CheckText("query", request.query, kMaxQueryBytes, violations);
  const std::optional<absl::CivilDay> from = CheckDate("date_from", request.date_from, violations);
  const std::optional<absl::CivilDay> to = CheckDate("date_to", request.date_to, violations);
  if (from && to && *to < *from) Add("date_to", "must not be before date_from", violations);
  if (request.max_results < 0) Add("max_results", "must not be negative", violations);
  CheckText("filter_people", request.filter_people, kMaxTextBytes, violations);
  return violations;
}

Violations Check(const ListRequest& request, std::string_view default_user) {
  Violations violations;
  CheckUser(request.user, default_user, violations);
  return violations;
}

Violations Check(const DisconnectRequest& request, std::string_view default_user) {
  Violations violations;
  CheckUser(request.user, default_user, violations);
  CheckRequired("id", request.id, violations);
  CheckName("id", request.id, kMaxNameBytes, violations);
  return violations;
}

Violations Check(const AuthorizeRequest& request, std::string_view default_user) {
  Violations violations;
  CheckUser(request.user, default_user, violations);
  CheckRequired("service", request.service, violations);
  CheckName("service", request.service, kMaxNameBytes, violations);
  CheckRequired("scope", request.scope, violations);
  CheckName("scope", request.scope, kMaxNameBytes, violations);
  CheckName("redirect_uri", request.redirect_uri, kMaxTextBytes, violations);
  CheckText("state", request.state, kMaxTextBytes, violations);
  return violations;
}

Violations Check(const CallOptions& options) {
  Violations violations;
  if (!options.api_key.empty()) {
    if (const absl::Status key = ValidateApiKey(options.api_key); !key.ok()) violations = ErrorOf(key)->violations;
  }
  for (size_t i = 0; i < options.headers.size(); ++i) {
    const auto& [name, value] = options.headers[i];
    const auto add = [&violations, i](const char* what) {
      Add("headers", absl::StrCat("header ", i + 1, " ", what), violations);
    };
    if (!IsToken(name)) add("has a name that is not a token (letters, digits and some marks)");
    if (IsReserved(name)) add("is one that the library sets itself: leave it out");
    if (!IsHeaderValue(value)) add("has a value that is empty, or is not visible ASCII with spaces only inside");
  }
  return violations;
}

}  // namespace igpt::internal
