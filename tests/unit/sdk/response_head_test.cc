#include "igpt/internal/http/response_head.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/support/canned_answer.h"

namespace igpt::internal {
namespace {

using testing::LibcurlReading;
using testing::ReadByLibcurl;
using testing::ReadByTransfer;
using testing::TransferReading;

std::string Answer(const std::vector<std::string>& head, std::string_view body = "") {
  return absl::StrCat(absl::StrJoin(head, "\r\n"), "\r\n\r\n", std::string(body));
}

TEST(ResponseHeadTest, HoldsWhatMatters) {
  const TransferReading reading =
      ReadByTransfer(Answer({"HTTP/1.1 429 Slow down", "Date: today", "CONTENT-type:  text/html ; x ", "Retry-After:5",
                             "content-encoding: br", "Server: a", "Content-Length: 12"},
                            "twelve bytes"));
  ASSERT_TRUE(reading.head.has_value());
  EXPECT_EQ(reading.head->status, 429);
  EXPECT_EQ(reading.head->content_type, "text/html ; x");
  EXPECT_EQ(reading.head->retry_after, "5");
  EXPECT_EQ(reading.head->content_encoding, "br");
  EXPECT_EQ(reading.head->server, "a");
  EXPECT_EQ(reading.head->content_length, 12);
  EXPECT_TRUE(reading.head->framed);
  EXPECT_EQ(reading.body, "twelve bytes");
  EXPECT_EQ(reading.result, CURLE_OK);
}

// How a body is framed, and whether it may then be cut without a word of libcurl's.
TEST(ResponseHeadTest, IsFramedIfLibcurlHoldsTheBodyToIt) {
  const struct {
    std::vector<std::string> fields;
    std::string body;
    bool framed;
  } kCases[] = {
      {{"Transfer-Encoding: chunked"}, "1\r\na\r\n0\r\n\r\n", true},
      {{"transfer-encoding: Chunked"}, "1\r\na\r\n0\r\n\r\n", true},
      {{"Transfer-Encoding:", " chunked"}, "a", false},
      {{"Content-Length: 1"}, "a", true},
      {{"Content-Length: 0"}, "", true},
      {{"Content-Length: 1", "Content-Length: 1"}, "a", true},
      {{"Connection: close"}, "a", false},
      {{"Content-Length: 5", "Transfer-Encoding: identity"}, "a", false},
      {{"Transfer-Encoding: identity", "Content-Length: 5"}, "a", false},
      {{"Transfer-Encoding: identity"}, "a", false},
  };
  for (const auto& test : kCases) {
    std::vector<std::string> head = {"HTTP/1.1 200 OK"};
    head.insert(head.end(), test.fields.begin(), test.fields.end());
    const std::string answer = Answer(head, test.body);
    SCOPED_TRACE(answer);
    const TransferReading reading = ReadByTransfer(answer);
    ASSERT_TRUE(reading.head.has_value());
    EXPECT_EQ(reading.head->framed, test.framed);
    if (!test.framed || test.body.empty()) continue;
    EXPECT_EQ(reading.result, CURLE_OK);
    const TransferReading cut = ReadByTransfer(answer.substr(0, answer.size() - 1));
    EXPECT_TRUE(cut.result != CURLE_OK || cut.body == reading.body) << "only what follows the body may be missing";
  }
}

TEST(ResponseHeadTest, MustNotContradictItself) {
  for (const std::string value : {"many", "-5", "+5", "5 5", "5, 6", "0x5", "", "99999999999999999999",
                                  "9223372036854775808", "00015642843432170172690", "5\r\nContent-Length: 6", "5\r\n 6",
                                  "6\r\nTransfer-Encoding: chunked\r\nContent-Length: 5"}) {
    const TransferReading reading = ReadByTransfer(Answer({"HTTP/1.1 200 OK", "Content-Length: " + value}, "aaaaa"));
    EXPECT_FALSE(reading.head.has_value()) << value;
    EXPECT_NE(reading.result, CURLE_OK) << value;
  }
}

TEST(ResponseHeadTest, MustNotBeTooLarge) {
  constexpr size_t kLimit = 64 << 10;
  const std::string status = "HTTP/1.1 200 OK\r\n";
  const std::string rest = ": a\r\n\r\n";
  for (const size_t over : {0U, 1U}) {
    const std::string filler = std::string(kLimit - status.size() - rest.size() + over, 'X');
    EXPECT_EQ(ReadByTransfer(absl::StrCat(status, filler, rest)).head.has_value(), over == 0);
  }
}

TEST(ResponseHeadTest, IsThatOfTheFinalAnswer) {
  const TransferReading reading = ReadByTransfer(absl::StrCat(
      Answer({"HTTP/1.1 100 Continue", "Content-Type: text/html"}), Answer({"HTTP/1.1 103 Early", "Content-Length: 5"}),
      Answer({"HTTP/1.1 200 OK", "Transfer-Encoding: chunked"}, "1\r\na\r\n0\r\nContent-Type: text/html\r\n\r\n")));
  ASSERT_TRUE(reading.head.has_value());
  EXPECT_EQ(reading.head->status, 200);
  EXPECT_EQ(reading.head->content_type, "");
  EXPECT_EQ(reading.head->content_length, 0);
  EXPECT_EQ(reading.body, "a");
}

TEST(ResponseHeadTest, MustNotSwitchProtocols) {
  const TransferReading reading = ReadByTransfer(Answer({"HTTP/1.1 101 Switching Protocols", "Upgrade: a"}, "body"));
  EXPECT_FALSE(reading.head.has_value());
  EXPECT_EQ(reading.body, "");
  EXPECT_NE(reading.result, CURLE_OK);
}

// Heads that are read in several ways: whatever libcurl makes of them is what counts.
TEST(ResponseHeadTest, IsReadAsLibcurlReadsIt) {
  const std::string body = R"({"output":"Yes."})";
  for (const std::string& head : {
           std::string("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n  \r\nContent-Type: application/json\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\nHTTP/9 200\r\nContent-Type: text/html\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\nHTTP/1.1 302 Found: a\r\nContent-Type: text/html\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\nContent-Type: application/json;\r\n text/html\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\nContent-Type:\r\n text/html\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\nContent-Type: text/html\n\n"),
           std::string("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\n"),
           std::string("HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n"),
           std::string("HTTP/1.1 200\r\nContent-Type : text/html\r\n\r\n"),
           std::string("HTTP/2 200\r\nContent-Type: text/html\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\n: a\r\nContent-Type: text/html\r\n\r\n"),
           std::string("HTTP/1.1 2000 OK\r\n\r\n"),
           std::string("HTTP/1.1 OK\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"),
           std::string("\r\nHTTP/1.1 200 OK\r\n\r\n"),
       }) {
    SCOPED_TRACE(head);
    const TransferReading ours = ReadByTransfer(head + body);
    const LibcurlReading theirs = ReadByLibcurl(head + body);
    if (!ours.head.has_value()) {
      EXPECT_TRUE(theirs.result != CURLE_OK || theirs.body.empty());
      continue;
    }
    EXPECT_EQ(ours.result, theirs.result);
    EXPECT_EQ(ours.head->status, theirs.status);
    // CURLINFO_CONTENT_TYPE is the last of several, without the lines that continue it.
    EXPECT_TRUE(absl::StrContains(ours.head->content_type, theirs.content_type)) << ours.head->content_type;
    EXPECT_EQ(ours.body, theirs.body);
  }
}

// Whoever looks for one of them must see that there are others.
TEST(ResponseHeadTest, HoldsAllValuesOfAField) {
  const TransferReading reading =
      ReadByTransfer(Answer({"HTTP/1.1 200 OK", "Content-Type: text/html", "Content-Type: application/json",
                             "Content-Encoding: identity", "Content-Encoding: gzip"}));
  ASSERT_TRUE(reading.head.has_value());
  EXPECT_EQ(reading.head->content_type, "text/html, application/json");
  EXPECT_EQ(reading.head->content_encoding, "identity, gzip");
}

}  // namespace
}  // namespace igpt::internal
