// The head of an HTTP answer, and the body after it: what a Transfer makes of them against libcurl's own reading.
//
// Input: the answer's bytes.
#include <curl/curl.h>

#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "fuzz/input.h"
#include "fuzz/require.h"
#include "igpt/internal/http/response_head.h"
#include "tests/support/canned_answer.h"

namespace igpt::testing {
namespace {

using igpt_fuzz::Require;
using igpt_fuzz::RequireEqual;

bool HasLoneCarriageReturn(std::string_view text) {
  for (size_t at = text.find('\r'); at != text.npos; at = text.find('\r', at + 1)) {
    if (at + 1 == text.size() || text[at + 1] != '\n') return true;
  }
  return false;
}

void Test(std::string_view answer) {
  const TransferReading ours = ReadByTransfer(answer);
  const LibcurlReading theirs = ReadByLibcurl(answer);
  if (!ours.head.has_value()) {
    Require(ours.body.empty(), "no body without a head");
    // libcurl takes a connection that ends within the head for an answer without a body, and 101 for an answer.
    Require(ours.result != CURLE_OK || theirs.body.empty(), "an answer that is passed over has no body");
    return;
  }
  const internal::ResponseHead& head = *ours.head;
  Require(head.status == theirs.status, "the status is libcurl's");
  Require(head.status / 100 != 1, "1xx is no final answer");
  // CURLINFO_CONTENT_TYPE starts after a carriage return within the line, and curl_easy_header before it.
  Require(HasLoneCarriageReturn(answer) ||
              absl::StrContains(head.content_type, absl::StripAsciiWhitespace(theirs.content_type)),
          "the content type holds libcurl's");
  RequireEqual(ours.body, theirs.body, "the body is libcurl's");
  Require(ours.result == theirs.result, "the result is libcurl's");
  if (head.framed && head.content_length > 0 && ours.result == CURLE_OK && !ours.body.empty() &&
      !absl::StrContains(absl::AsciiStrToLower(absl::string_view(answer.data(), answer.size())), "chunked")) {
    Require(ours.body.size() == head.content_length, "a body that is framed by a length has that length");
  }
}

}  // namespace
}  // namespace igpt::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  igpt::testing::Test({reinterpret_cast<const char*>(data), size});
  return 0;
}
