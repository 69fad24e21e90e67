#include "igpt/internal/json/status.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "igpt/internal/json/fields.h"
#include "igpt/options.h"

namespace igpt::internal {
namespace {

constexpr size_t kMaxCodeBytes = 64;

// A code, not a text that could hold anything.
bool IsPlainToken(std::string_view text) {
  return !text.empty() && text.size() <= kMaxCodeBytes && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '-';
  });
}

}  // namespace

absl::Status ReportedError(std::string_view code) {
  if (code == "auth") {
    return MakeStatus(ErrorKind::kAuth, "iGPT refused the API key: it is missing, wrong or expired");
  }
  if (code == "params") {
    return MakeStatus(ErrorKind::kParams, "iGPT refused the parameters: one is missing or malformed");
  }
  Error error;
  error.kind = ErrorKind::kApi;
  error.api_code = IsPlainToken(code) ? std::string(code) : "unrecognized";
  return MakeStatus(error, absl::StrCat("iGPT reported the error \"", error.api_code, "\""));
}

absl::Status FinishReading(JsonReader& json, const std::string& api_error, TextKind kind) {
  const auto error = [kind](ErrorKind error_kind, std::string_view what) {
    return MakeStatus(error_kind, absl::StrCat("iGPT sent an ", std::string(kind.name), " that ", std::string(what)));
  };
  switch (json.Finish()) {
    case JsonError::kNone:
      return api_error.empty() ? absl::OkStatus() : ReportedError(api_error);
    case JsonError::kNotUtf8:
      return error(ErrorKind::kMalformed, "is not valid UTF-8");
    case JsonError::kTooDeep:
      return error(ErrorKind::kMalformed, absl::StrCat("nests deeper than ", kMaxJsonDepth));
    case JsonError::kTooLong:
      return error(ErrorKind::kTooLarge, absl::StrCat("holds a list of more than ", kMaxListItems, " items"));
    case JsonError::kNotJson:
      break;
  }
  return error(kind.not_json, "is not valid JSON");
}

absl::Status CheckJsonObject(std::string_view text) {
  JsonReader json{std::string(text)};
  const bool is_object = json.type() == JsonType::kObject;
  switch (json.Finish()) {
    case JsonError::kNone:
      return is_object ? absl::OkStatus() : absl::InvalidArgumentError("must be a JSON object");
    case JsonError::kNotUtf8:
      return absl::InvalidArgumentError("must be valid UTF-8");
    case JsonError::kTooDeep:
      return absl::InvalidArgumentError(absl::StrCat("must not nest deeper than ", kMaxJsonDepth));
    case JsonError::kNotJson:
    case JsonError::kTooLong:  // only where lists are read
      break;
  }
  if (json.error_offset() == std::string::npos) return absl::InvalidArgumentError("must be JSON");
  return absl::InvalidArgumentError(absl::StrCat("must be JSON, but is invalid from byte ", json.error_offset()));
}

}  // namespace igpt::internal
