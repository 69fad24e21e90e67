#include "igpt/internal/http/sse_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "igpt/error.h"

namespace igpt::internal {
namespace {

using ::testing::ElementsAre;

using Event = std::pair<std::string, std::string>;  // event, data

// What came out of a parser.
struct Parsed {
  std::vector<Event> events;
  bool failed = false;
  bool partial = false;  // only asked for when nothing failed

  bool operator==(const Parsed&) const = default;
};

void PrintTo(const Parsed& parsed, std::ostream* out) {
  *out << testing::PrintToString(parsed.events) << (parsed.failed ? " failed" : "")
       << (parsed.partial ? " partial" : "");
}

// Feeds the pieces one after the other, until one fails.
Parsed Parse(const std::vector<std::string_view>& pieces, size_t max_event_bytes = 1 << 20) {
  SseParser parser(max_event_bytes);
  Parsed parsed;
  for (std::string_view piece : pieces) {
    const absl::Status status = parser.Feed(piece, [&parsed](SseEvent event) {
      parsed.events.emplace_back(std::move(event.event), std::move(event.data));
    });
    if (!status.ok()) {
      EXPECT_EQ(ErrorOf(status)->kind, ErrorKind::kTooLarge);
      parsed.failed = true;
      return parsed;
    }
  }
  parsed.partial = parser.HasPartialEvent();
  return parsed;
}

std::vector<std::string_view> Bytewise(std::string_view stream) {
  std::vector<std::string_view> pieces;
  for (size_t i = 0; i < stream.size(); ++i) pieces.push_back(stream.substr(i, 1));
  return pieces;
}

std::vector<std::string_view> RandomPieces(std::string_view stream, size_t max_piece, std::mt19937& random) {
  std::vector<std::string_view> pieces;
  while (!stream.empty()) {
    const size_t size = std::uniform_int_distribution<size_t>(0, max_piece)(random);
    pieces.push_back(stream.substr(0, size));
    stream.remove_prefix(pieces.back().size());
  }
  return pieces;
}

// The stream in one piece, having checked that every way to split it gives the same.
Parsed ParseAnySplit(std::string_view stream, size_t max_event_bytes = 1 << 20) {
  const Parsed whole = Parse({stream}, max_event_bytes);
  EXPECT_EQ(Parse(Bytewise(stream), max_event_bytes), whole);
  for (size_t cut = 0; cut <= stream.size(); ++cut) {
    EXPECT_EQ(Parse({stream.substr(0, cut), stream.substr(cut)}, max_event_bytes), whole) << "cut at " << cut;
  }
  std::mt19937 random(20240229);
  for (size_t max_piece : {2, 5, 17, 80}) {
    for (int i = 0; i < 50; ++i) {
      EXPECT_EQ(Parse(RandomPieces(stream, max_piece, random), max_event_bytes), whole) << "pieces of " << max_piece;
    }
  }
  return whole;
}

// A byte order mark is "\357\273\277".
struct Rule {
  std::string name;
  std::string stream;
  std::vector<Event> events;
  bool partial = false;
};

class SseRuleTest : public testing::TestWithParam<Rule> {};

TEST_P(SseRuleTest, HoldsForEverySplit) {
  const Parsed parsed = ParseAnySplit(GetParam().stream);
  EXPECT_FALSE(parsed.failed);
  EXPECT_EQ(parsed.events, GetParam().events);
  EXPECT_EQ(parsed.partial, GetParam().partial);
}

std::vector<Rule> Rules() {
  return {
      {"Nothing", "", {}},
      {"Lf", "data: a\n\ndata: b\n\n", {{"", "a"}, {"", "b"}}},
      {"Cr", "data: a\r\rdata: b\r\r", {{"", "a"}, {"", "b"}}},
      {"CrLf", "data: a\r\n\r\ndata: b\r\n\r\n", {{"", "a"}, {"", "b"}}},
      {"CrThenLf", "data: a\r\n\ndata: b\n\r\n", {{"", "a"}, {"", "b"}}},
      {"LfThenCr", "data: a\n\rdata: b\r\n\r", {{"", "a"}, {"", "b"}}},
      {"MixedInOneEvent", "data: a\rdata: b\ndata: c\r\n\r\n", {{"", "a\nb\nc"}}},
      {"CrCrLfIsTwoLineEnds", "data: a\r\r\ndata: b\n\n", {{"", "a"}, {"", "b"}}},
      {"BlankLines", "\n\n\r\n\rdata: a\n\n\n\n", {{"", "a"}}},
      {"SeveralDataLines", "data: a\ndata:\ndata: b\n\n", {{"", "a\n\nb"}}},
      {"OneSpaceIsDropped", "data:a\n\ndata: a\n\ndata:  a \n\n", {{"", "a"}, {"", "a"}, {"", " a "}}},
      {"TabIsKept", "data:\ta\n\n", {{"", "\ta"}}},
      {"ColonsInValue", "data: {\"a\":\"b: c\"}\n\n", {{"", "{\"a\":\"b: c\"}"}}},
      {"EmptyData", "data\n\ndata:\n\ndata: \n\n", {{"", ""}, {"", ""}, {"", ""}}},
      {"TwoEmptyDataLines", "data\ndata:\n\n", {{"", "\n"}}},
      {"Comments", ": ping\n\n:\n:data: a\ndata: a\n: data: b\n\n", {{"", "a"}}},
      {"Event", "event: x\ndata: a\n\ndata: b\n\n", {{"x", "a"}, {"", "b"}}},
      {"LastEventFieldWins", "event: x\ndata: a\nevent: y\n\n", {{"y", "a"}}},
      {"EventMayBeTakenBack", "event: x\nevent\ndata: a\n\n", {{"", "a"}}},
      {"EventWithoutDataIsDropped", "event: x\n\ndata: a\n\n", {{"", "a"}}},
      {"IdAndRetryAreIgnored", "id: 7\nretry: 10\ndata: a\n\nid\n\nretry: 1\n\n", {{"", "a"}}},
      {"UnknownFields", "foo: bar\nfoo\nDATA: x\ndatax: y\n data: z\ndata : z\ndata: a\n\n", {{"", "a"}}},
      {"ByteOrderMark", "\357\273\277data: a\n\n", {{"", "a"}}},
      {"OneByteOrderMarkOnly", "\357\273\277\357\273\277data: a\ndata: b\n\n", {{"", "b"}}},
      {"ByteOrderMarkInData", "data: \357\273\277\n\n", {{"", "\357\273\277"}}},
      {"LateByteOrderMark", "\n\357\273\277data: a\ndata: b\n\n", {{"", "b"}}},
      {"ByteOrderMarkAndBlankLine", "\357\273\277\ndata: a\n\n", {{"", "a"}}},
      {"HalfByteOrderMark", "\357\273data: a\ndata: b\n\n", {{"", "b"}}},
      {"HalfByteOrderMarkAlone", "\357\273", {}, true},
      {"ByteOrderMarkAlone", "\357\273\277", {}},
      {"ByteOrderMarkAndUnterminatedComment", "\357\273\277: by", {}},
      {"Utf8", "data: \xC3\xA4\xE2\x82\xAC\xF0\x9F\x99\x82\n\n", {{"", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x99\x82"}}},
      {"NotUtf8", "data: \xFF\xC3\n\n", {{"", "\xFF\xC3"}}},
      {"Nul", std::string("data: a\0b\n\n", 11), {{"", std::string("a\0b", 3)}}},
      {"UnterminatedEvent", "data: a\n\ndata: b\n", {{"", "a"}}, true},
      {"UnterminatedLine", "data: a\n\ndata: b", {{"", "a"}}, true},
      {"UnterminatedByCr", "data: a\r\n\r\ndata: b\r", {{"", "a"}}, true},
      {"FirstByteOfAnEvent", "data: a\n\nd", {{"", "a"}}, true},
      {"UnterminatedName", "data: a\n\nevent: x\n", {{"", "a"}}, true},
      {"UnterminatedId", "data: a\n\nid: 8\n", {{"", "a"}}, true},
      {"TrailingComment", "data: a\n\n: bye\n", {{"", "a"}}},
      {"UnterminatedComment", "data: a\n\n: by", {{"", "a"}}},
      {"CommentInUnterminatedEvent", "data: a\n\ndata: b\n: x", {{"", "a"}}, true},
  };
}

INSTANTIATE_TEST_SUITE_P(Rules, SseRuleTest, testing::ValuesIn(Rules()),
                         [](const auto& test) { return test.param.name; });

// What streams of iGPT look like: one JSON object a `data` line, and what proxies and other servers make of it.
constexpr std::string_view kRecordings[] = {
    "data: {\"type\":\"run.start\",\"seq\":0,\"id\":\"run_1\",\"context\":{\"quality\":\"cef-1-normal\"}}\n\n"
    "data: {\"type\":\"run.output_text.delta\",\"seq\":1,\"delta\":\"The mee\"}\n\n"
    "data: {\"type\":\"run.output_text.delta\",\"seq\":2,\"delta\":\"ting \xE2\x80\x94 \xF0\x9F\x93\x85\"}\n\n"
    "data: {\"type\":\"run.done\",\"seq\":3,\"output\":\"The meeting\"}\n\n",

    "\357\273\277: connected\r\n\r\nretry: 3000\r\n\r\nevent: delta\r\nid: 1\r\ndata: {\"delta\":\"a\"}\r\n\r\n"
    ": keep-alive\r\n\r\nevent: delta\r\nid: 2\r\ndata: {\r\ndata: \"delta\":\"b\"\r\ndata: }\r\n\r\ndata: "
    "[DONE]\r\n\r\n",

    "data:1\r\rdata:2\rdata:3\r\r\r: x\revent:e\rdata\r\rdata: 4\r\n\ndata: 5\n\r\ndata: 6",
};

TEST(SseParserTest, EverySplitOfARecordingGivesTheSameEvents) {
  const Parsed plain = ParseAnySplit(kRecordings[0]);
  EXPECT_EQ(plain.events.size(), 4);
  EXPECT_FALSE(plain.partial);

  const Parsed crlf = ParseAnySplit(kRecordings[1]);
  EXPECT_THAT(crlf.events, ElementsAre(Event("delta", "{\"delta\":\"a\"}"), Event("delta", "{\n\"delta\":\"b\"\n}"),
                                       Event("", "[DONE]")));
  EXPECT_FALSE(crlf.partial);

  const Parsed cr = ParseAnySplit(kRecordings[2]);
  EXPECT_THAT(cr.events,
              ElementsAre(Event("", "1"), Event("", "2\n3"), Event("e", ""), Event("", "4"), Event("", "5")));
  EXPECT_TRUE(cr.partial);
}

TEST(SseParserTest, EveryThreeWaySplitGivesTheSameEvents) {
  const std::string_view stream = kRecordings[2];
  const Parsed whole = Parse({stream});
  for (size_t a = 0; a <= stream.size(); ++a) {
    for (size_t b = a; b <= stream.size(); ++b) {
      ASSERT_EQ(Parse({stream.substr(0, a), stream.substr(a, b - a), stream.substr(b)}), whole) << a << " " << b;
    }
  }
}

// The rules once more, as slow and plain as they can be: on the whole stream, one line after the other.
Parsed ReferenceParse(std::string stream, size_t max_event_bytes) {
  Parsed parsed;
  const size_t max_line_bytes = max_event_bytes + 10;
  bool first = true, has_data = false;
  Event event;
  std::string line;
  for (size_t i = 0; i < stream.size(); ++i) {
    if (stream[i] != '\n' && stream[i] != '\r') {
      line += stream[i];
      if (line.size() > max_line_bytes) return {parsed.events, true, false};
      continue;
    }
    if (stream[i] == '\r' && stream.substr(i + 1, 1) == "\n") ++i;
    if (first && line.substr(0, 3) == "\357\273\277") line.erase(0, 3);
    first = false;
    const size_t colon = line.find(':');
    const std::string field = line.substr(0, colon);
    std::string value = colon == line.npos ? "" : line.substr(colon + 1);
    if (value.substr(0, 1) == " ") value.erase(0, 1);
    if (line.empty()) {
      if (has_data) parsed.events.push_back(event);
      event = {};
      has_data = parsed.partial = false;
    } else if (colon != 0) {
      parsed.partial = true;
    }
    if (field == "event") event.first = value;
    if (field == "data") {
      event.second += (has_data ? "\n" : "") + value;
      has_data = true;
      if (event.second.size() > max_event_bytes) return {parsed.events, true, false};
    }
    line.clear();
  }
  parsed.partial = parsed.partial || (!line.empty() && line[0] != ':');
  return parsed;
}

TEST(SseParserTest, AgreesWithAPlainReadingOfTheRules) {
  constexpr std::string_view kWords[] = {"\r",   "\n",     "\r\n",    "\n\n", "\r\n\r\n", ":",   " ",
                                         "data", "data: ", "event: ", "id: ", "x",        "xyz", "\357\273\277"};
  std::mt19937 random(7);
  std::uniform_int_distribution<size_t> any_word(0, std::size(kWords) - 1);
  for (int i = 0; i < 20000; ++i) {
    std::string stream;
    for (int words = 0; words < 30; ++words) stream += kWords[any_word(random)];
    const Parsed expected = ReferenceParse(stream, 8);
    ASSERT_EQ(Parse({stream}, 8), expected) << testing::PrintToString(stream);
    ASSERT_EQ(Parse(RandomPieces(stream, 6, random), 8), expected) << testing::PrintToString(stream);
  }
}

TEST(SseParserTest, AnEventIsHandedOverWithItsLastByte) {
  for (const std::string_view end : {"\n", "\r"}) {
    SseParser parser(100);
    int events = 0;
    const auto count = [&events](SseEvent) { ++events; };
    ASSERT_TRUE(parser.Feed("data: a\r\n", count).ok());
    EXPECT_EQ(events, 0);
    EXPECT_TRUE(parser.HasPartialEvent());
    ASSERT_TRUE(parser.Feed(end, count).ok());
    EXPECT_EQ(events, 1);
    EXPECT_FALSE(parser.HasPartialEvent());
    ASSERT_TRUE(parser.Feed("", count).ok());
    ASSERT_TRUE(parser.Feed("\n", count).ok());  // the rest of the CRLF, or another blank line
    EXPECT_EQ(events, 1);
    EXPECT_FALSE(parser.HasPartialEvent());
  }
}

struct Limit {
  std::string name;
  std::string before;  // what comes before and after as many bytes as count
  std::string after;
  size_t counted = 0;  // bytes of `before` and `after` that count too
};

class SseLimitTest : public testing::TestWithParam<Limit> {};

TEST_P(SseLimitTest, IsExact) {
  const Limit& limit = GetParam();
  constexpr size_t kMax = 64;
  const auto stream = [&limit](size_t size) {
    return "data: first\n\n" + limit.before + std::string(size - limit.counted, 'x') + limit.after + "\n\n";
  };
  for (size_t size : {kMax - 1, kMax}) {
    const Parsed fits = ParseAnySplit(stream(size), kMax);
    EXPECT_FALSE(fits.failed) << size;
    EXPECT_EQ(fits.events.size(), 2) << size;
    EXPECT_EQ(fits.events.back().second.size(), size) << size;
  }
  for (size_t size : {kMax + 1, kMax + 2, kMax + 20}) {
    const Parsed too_large = ParseAnySplit(stream(size), kMax);
    EXPECT_TRUE(too_large.failed) << size;
    EXPECT_THAT(too_large.events, ElementsAre(Event("", "first"))) << size;
  }
}

std::vector<Limit> Data() {
  return {
      {"OneLine", "data: ", ""},
      {"WithoutSpace", "data:", ""},
      {"TwoSpaces", "data:  ", "", 1},
      {"TwoLines", "data: ab\ndata: ", "", 3},
      {"LastLineEmpty", "data: ", "\ndata", 1},
      {"EmptyLines", "data\ndata\ndata\ndata: ", "", 3},
      {"OtherFieldsDoNotCount", "event: name\nid: 1\ndata: ", "\nid: 2"},
  };
}

INSTANTIATE_TEST_SUITE_P(Data, SseLimitTest, testing::ValuesIn(Data()),
                         [](const auto& test) { return test.param.name; });

TEST(SseParserTest, ALineOfAnyKindHasTheLimitAndTenBytesMore) {
  constexpr size_t kMax = 64;
  for (const std::string prefix : {":", "id: ", "event: ", "unknown", ""}) {
    for (size_t size : {kMax + 9, kMax + 10}) {
      const std::string line = prefix + std::string(size - prefix.size(), 'x');
      EXPECT_FALSE(ParseAnySplit(line + "\n", kMax).failed) << line;
      EXPECT_FALSE(ParseAnySplit(line, kMax).failed) << line;
    }
    const std::string line = prefix + std::string(kMax + 11 - prefix.size(), 'x');
    EXPECT_TRUE(ParseAnySplit(line + "\n", kMax).failed) << line;
    EXPECT_TRUE(ParseAnySplit(line, kMax).failed) << line;
  }
}

TEST(SseParserTest, AByteOrderMarkLeavesRoomForAWholeEvent) {
  const std::string data(64, 'x');
  EXPECT_THAT(ParseAnySplit("\357\273\277data: " + data + "\n\n", 64).events, ElementsAre(Event("", data)));
}

TEST(SseParserTest, TheLimitIsForOneEventNotForAll) {
  std::string stream;
  for (int i = 0; i < 100; ++i) stream += ": comment\nid: 1\nevent: name\ndata: 12345678\n\n";
  const Parsed parsed = ParseAnySplit(stream, 8);
  EXPECT_FALSE(parsed.failed);
  EXPECT_EQ(parsed.events.size(), 100);
}

TEST(SseParserTest, AnEndlessEventOfShortLinesIsStopped) {
  SseParser parser(1000);
  size_t fed = 0;
  while (parser.Feed("data\n", [](SseEvent) { ADD_FAILURE(); }).ok()) ASSERT_LE(++fed, 1001);
  EXPECT_EQ(fed, 1001);  // joined by 1000 LFs
}

TEST(SseParserTest, SaysWhichLimitWasPassed) {
  SseParser parser(16);
  const absl::Status status = parser.Feed("data: 12345678901234567\n", [](SseEvent) {});
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("max_event_bytes (16)"));
  EXPECT_THAT(std::string(status.message()), testing::Not(testing::HasSubstr("1234")));
}

}  // namespace
}  // namespace igpt::internal
