#include "igpt/internal/head_reader.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "igpt/internal/string_view.h"

namespace igpt::internal {

HeadReader::Took HeadReader::TakeLine(std::string_view text) {
  if (done_) return Took::kLine;
  absl::string_view line = absl::StripTrailingAsciiWhitespace(AbslView(text));
  if (absl::ConsumePrefix(&line, "HTTP/")) {
    head_ = {};
    const size_t space = line.find(' ');
    if (space == absl::string_view::npos) return Took::kLine;
    return absl::SimpleAtoi(line.substr(space + 1, 3), &head_.status) ? Took::kLine : Took::kMalformed;
  }
  if (line.empty()) {
    if (head_.status / 100 == 1) return Took::kLine;
    done_ = true;
    return Took::kHead;
  }
  const size_t colon = line.find(':');
  if (colon == absl::string_view::npos) return Took::kLine;
  const absl::string_view name = line.substr(0, colon);
  const absl::string_view value = absl::StripAsciiWhitespace(line.substr(colon + 1));
  if (absl::EqualsIgnoreCase(name, "content-type")) {
    head_.content_type = std::string(value);
  } else if (absl::EqualsIgnoreCase(name, "content-encoding")) {
    head_.content_encoding = std::string(value);
  } else if (absl::EqualsIgnoreCase(name, "retry-after")) {
    head_.retry_after = std::string(value);
  } else if (absl::EqualsIgnoreCase(name, "content-length")) {
    head_.framed = true;
    if (!absl::SimpleAtoi(value, &head_.content_length)) head_.content_length = 0;
  } else if (absl::EqualsIgnoreCase(name, "transfer-encoding") && absl::EqualsIgnoreCase(value, "chunked")) {
    head_.framed = true;
  }
  return Took::kLine;
}

}  // namespace igpt::internal
