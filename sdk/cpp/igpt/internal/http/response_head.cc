#include "igpt/internal/http/response_head.h"

#include <cstdint>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "igpt/internal/http/curl_info.h"

namespace igpt::internal {
namespace {

// iGPT's heads are a hundredth of it.
constexpr size_t kMaxHeadBytes = 64 << 10;

int StatusOf(CURL* easy) {
  return NumberOf(easy, CURLINFO_RESPONSE_CODE);
}

// The field's different values; empty: it has none.
std::string FieldOf(CURL* easy, const char* name) {
  std::string values;
  curl_header* field = nullptr;
  for (size_t i = 0; curl_easy_header(easy, name, i, CURLH_HEADER, /*request=*/-1, &field) == CURLHE_OK; ++i) {
    if (i == 0) {
      values = field->value;
    } else if (values != field->value) {
      absl::StrAppend(&values, ", ", field->value);
    }
  }
  return values;
}

}  // namespace

HeadWatch::Took HeadWatch::Take(CURL* easy, std::string_view line) {
  if (done_) return Took::kLine;
  bytes_ += line.size();
  if (bytes_ > kMaxHeadBytes) return Took::kMalformed;
  // What makes it the last one for libcurl.
  if (line.empty() || (line.front() != '\r' && line.front() != '\n')) {
    if (line.starts_with("HTTP/")) headers_.Clear();  // another head begins
    headers_.Add(line);
    return Took::kLine;
  }
  const int status = StatusOf(easy);
  if (status == 101) return Took::kMalformed;
  if (status / 100 == 1) return Took::kLine;
  done_ = true;
  return Took::kHead;
}

std::optional<ResponseHead> ReadHead(CURL* easy) {
  ResponseHead head;
  head.status = StatusOf(easy);
  head.content_type = FieldOf(easy, "Content-Type");
  head.content_encoding = FieldOf(easy, "Content-Encoding");
  head.retry_after = FieldOf(easy, "Retry-After");
  head.server = FieldOf(easy, "Server");
  // RFC 9112, section 6.3. libcurl takes the number at the value's begin, the last of several, and none of them beside
  // another transfer coding than chunked.
  curl_header* field = nullptr;
  const bool has_length =
      curl_easy_header(easy, "Content-Length", 0, CURLH_HEADER, /*request=*/-1, &field) == CURLHE_OK;
  if (has_length) {
    const std::string length = FieldOf(easy, "Content-Length");
    int64_t number = 0;  // libcurl ignores a length beyond it
    const bool is_number = absl::c_all_of(length, absl::ascii_isdigit) && absl::SimpleAtoi(length, &number);
    if (!is_number) return std::nullopt;
    head.content_length = static_cast<size_t>(number);
  }
  // For libcurl, an HTTP/2 stream that was reset with NO_ERROR has ended as it should, wherever that was.
  const std::string coding = FieldOf(easy, "Transfer-Encoding");
  head.framed = coding.empty() ? has_length : absl::EqualsIgnoreCase(coding, "chunked");
  return head;
}

}  // namespace igpt::internal
