// What is wrong with a JSON text, as a status. Messages never hold any of the text.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "igpt/error.h"
#include "igpt/internal/json/reader.h"

namespace igpt::internal {

// What a text is, as far as errors go.
struct TextKind {
  std::string_view name;
  ErrorKind not_json;
};
inline constexpr TextKind kEventText = {"event", ErrorKind::kMalformed};
inline constexpr TextKind kAnswerText = {"answer", ErrorKind::kProtocol};

// An error that iGPT reported by this code. A code that is no plain token is told as "unrecognized", because it could
// be any text.
absl::Status ReportedError(std::string_view code);

// Walks what is left of the text. An error when it is not JSON, not UTF-8, too deep or holds too long a list; then when
// it reports an error of iGPT's own: `api_error`, read by ReadApiError, unless that is empty. Else OK.
absl::Status FinishReading(JsonReader& json, const std::string& api_error, TextKind kind);

// OK when `text` is one JSON object within the depth limit (a JSON Schema); else INVALID_ARGUMENT, saying where it
// stops being one.
absl::Status CheckJsonObject(std::string_view text);

}  // namespace igpt::internal
