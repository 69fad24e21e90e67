#include "igpt/internal/http/head_reader.h"

#include <string>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "igpt/internal/base/string_view.h"

namespace igpt::internal {
namespace {

// iGPT's heads are a hundredth of it.
constexpr size_t kMaxHeadBytes = 64 << 10;

}  // namespace

HeadReader::Took HeadReader::TakeLine(std::string_view text) {
  if (done_) return Took::kLine;
  absl::string_view line = absl::StripTrailingAsciiWhitespace(AbslView(text));
  bytes_ += text.size();
  if (bytes_ > kMaxHeadBytes) return Took::kMalformed;
  if (absl::ConsumePrefix(&line, "HTTP/")) {
    head_ = {};
    length_.reset();
    bytes_ = text.size();
    const size_t space = line.find(' ');
    if (space == absl::string_view::npos) return Took::kLine;
    if (!absl::SimpleAtoi(line.substr(space + 1, 3), &head_.status)) return Took::kMalformed;
    return head_.status == 101 ? Took::kMalformed : Took::kLine;  // nobody asked for another protocol
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
  } else if (absl::EqualsIgnoreCase(name, "server")) {
    head_.server = std::string(value);
  } else if (absl::EqualsIgnoreCase(name, "content-length")) {
    // If it is no number, or there are two that differ, nobody can tell where the body ends (RFC 9112, section 6.3).
    const bool is_number = absl::c_all_of(value, absl::ascii_isdigit) && absl::SimpleAtoi(value, &head_.content_length);
    if (!is_number || length_.value_or(head_.content_length) != head_.content_length) return Took::kMalformed;
    length_ = head_.content_length;
    head_.framed = true;
  } else if (absl::EqualsIgnoreCase(name, "transfer-encoding") && absl::EqualsIgnoreCase(value, "chunked")) {
    head_.framed = true;
  }
  return Took::kLine;
}

}  // namespace igpt::internal
