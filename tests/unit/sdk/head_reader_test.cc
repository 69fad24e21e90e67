#include "igpt/internal/http/head_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace igpt::internal {
namespace {

using Took = HeadReader::Took;

// What the last of the lines was.
Took Take(HeadReader& reader, const std::vector<std::string>& lines) {
  Took took = Took::kLine;
  for (const std::string& line : lines) took = reader.TakeLine(line + "\r\n");
  return took;
}

TEST(HeadReaderTest, TakesWhatMatters) {
  HeadReader reader;
  ASSERT_EQ(Take(reader, {"HTTP/1.1 429 Slow down", "Date: today", "CONTENT-type:  text/html ; x ", "Retry-After:5",
                          "content-encoding: br", "Content-Length: 12", ""}),
            Took::kHead);
  EXPECT_EQ(reader.head().status, 429);
  EXPECT_EQ(reader.head().content_type, "text/html ; x");
  EXPECT_EQ(reader.head().retry_after, "5");
  EXPECT_EQ(reader.head().content_encoding, "br");
  EXPECT_EQ(reader.head().content_length, 12);
  EXPECT_TRUE(reader.head().framed);
}

TEST(HeadReaderTest, KnowsWhatIsFramed) {
  for (const std::string line : {"Transfer-Encoding: chunked", "transfer-encoding: Chunked", "Content-Length: 0"}) {
    HeadReader reader;
    ASSERT_EQ(Take(reader, {"HTTP/1.1 200 OK", line, ""}), Took::kHead) << line;
    EXPECT_TRUE(reader.head().framed) << line;
    EXPECT_EQ(reader.head().content_length, 0) << line;
  }
  HeadReader reader;
  ASSERT_EQ(Take(reader, {"HTTP/1.1 200 OK", "Connection: close", ""}), Took::kHead);
  EXPECT_FALSE(reader.head().framed);
}

TEST(HeadReaderTest, RefusesALengthThatIsNone) {
  for (const std::string value : {"many", "-5", "+5", "5 5", "5, 6", "0x5", "", "99999999999999999999"}) {
    HeadReader reader;
    EXPECT_EQ(Take(reader, {"HTTP/1.1 200 OK", "Content-Length: " + value}), Took::kMalformed) << value;
  }
}

TEST(HeadReaderTest, TakesALengthTwiceButNotTwoLengths) {
  HeadReader reader;
  EXPECT_EQ(Take(reader, {"HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: 5"}), Took::kLine);
  EXPECT_EQ(Take(reader, {"Content-Length: 6"}), Took::kMalformed);
  HeadReader interim;
  EXPECT_EQ(Take(interim, {"HTTP/1.1 103 Early", "Content-Length: 5", "", "HTTP/1.1 200 OK", "Content-Length: 6", ""}),
            Took::kHead);
  EXPECT_EQ(interim.head().content_length, 6);
}

TEST(HeadReaderTest, RefusesAHeadThatIsTooLarge) {
  constexpr size_t kLimit = 64 << 10;
  const std::string status = "HTTP/1.1 200 OK\r\n";
  for (const size_t over : {0U, 1U}) {
    HeadReader reader;
    EXPECT_EQ(reader.TakeLine(status), Took::kLine);
    EXPECT_EQ(reader.TakeLine("X: " + std::string(kLimit - status.size() - 5 + over, 'a') + "\r\n"),
              over == 0 ? Took::kLine : Took::kMalformed);
  }
}

TEST(HeadReaderTest, PassesOverInterimAnswersAndTrailers) {
  HeadReader reader;
  ASSERT_EQ(Take(reader, {"HTTP/1.1 100 Continue", "Content-Type: text/html", ""}), Took::kLine);
  ASSERT_EQ(Take(reader, {"HTTP/1.1 200 OK", ""}), Took::kHead);
  EXPECT_EQ(Take(reader, {"Content-Type: text/html", ""}), Took::kLine);
  EXPECT_EQ(reader.head().status, 200);
  EXPECT_EQ(reader.head().content_type, "");
}

TEST(HeadReaderTest, RefusesAStatusThatIsNoNumber) {
  HeadReader reader;
  EXPECT_EQ(Take(reader, {"HTTP/1.1 OK"}), Took::kMalformed);
}

}  // namespace
}  // namespace igpt::internal
