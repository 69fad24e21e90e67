// Faults in what iGPT sends: streams that end wrongly, errors within streams, unreadable events, bombs, and sizes
// around the limits.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/fault/fault_case.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;

class StreamFaultTest : public ::testing::TestWithParam<Fault> {};

TEST_P(StreamFaultTest, EndsAsTheCatalogueSays) {
  RunFault(GetParam());
}

#define TABLE(name, ...) INSTANTIATE_TEST_SUITE_P(name, StreamFaultTest, ::testing::ValuesIn(__VA_ARGS__), NameOfParam)

const std::string kDelta = DeltaEvent(1, kAnswerCanary);
const Facts kTwo = {{"events_delivered", "2"}};

// A stream of two good events and then `rest`, in chunks. The upstream sends nothing more, so igptd has to end it.
Script Stream(const std::string& rest) {
  return {Send(SseHead() + SseChunk(kRunStart) + SseChunk(kDelta) + rest), StallForGood()};
}

// Row 31. A clean end without the terminal event, both where one is required and where none is.

Fault Truncated(const std::string& name, const Script& script, size_t events) {
  return {.row = 31,
          .name = name,
          .scripts = {script},
          .code = StatusCode::UNAVAILABLE,
          .reason = "STREAM_TRUNCATED",
          .facts = {{"events_delivered", std::to_string(events)}},
          .events = events};
}
const HttpHeaders kSseHeaders = {{"Content-Type", "text/event-stream"}};

TABLE(Ends,
      std::vector<Fault>({
          Truncated("OpenRunInAChunkedBody", {Send(SseWhole({kRunStart, kDelta}))}, 2),
          Truncated("OpenRunInABodyOfALength", {Send(Whole(200, SseEvent(kRunStart) + SseEvent(kDelta), kSseHeaders))},
                    2),
          Truncated("NoRunButTheConnectionIsTheFrame", {Send(Head(200, kSseHeaders) + SseEvent(kDelta)), Fin()}, 1),
          Truncated("HalfAnEventInAWholeBody",
                    {Send(Whole(200, SseEvent(kDelta) + "data: {\"delta\":\"canary-answer-################",
                                kSseHeaders))},
                    1),
          Truncated("EventWithoutItsEmptyLine", {Send(Whole(200, SseEvent(kDelta) + "data: {}\n", kSseHeaders))}, 1),
          Truncated("ADoneMarkerIsNoTerminalEvent",
                    {Send(SseHead() + SseChunk(kRunStart) + SseChunk("[DONE]") + std::string(kLastChunk))}, 1),
          Truncated("ASecondRunHasToEndToo", {Send(SseWhole({kRunStart, kRunDone, kRunStart, kDelta}))}, 4),
          {.row = 31,
           .name = "TwoRunsThatEnd",
           .scripts = {{Send(SseWhole({kRunStart, kRunDone, kRunStart, kRunDone}))}},
           .events = 4},
          {.row = 31, .name = "NoRunInAWholeBodyIsAProperEnd", .scripts = {{Send(SseWhole({kDelta}))}}, .events = 1},
          {.row = 31,
           .name = "ATerminalEventIsEnough",
           .scripts = {{Send(Head(200, kSseHeaders) + SseEvent(kRunStart) + SseEvent(kRunDone)), Fin()}},
           .events = 2},
          {.row = 31,
           .name = "ATerminalEventIsEnoughThoughTheBodyStalls",
           .scripts = {{Send(SseHead() + SseChunk(kRunStart) + SseChunk(kRunDone)), StallForGood()}},
           .events = 2,
           .aborted = true,
           .within = absl::Seconds(10)},
          {.row = 31,
           .name = "ATerminalEventIsEnoughThoughTheConnectionBreaks",
           .scripts = {{Send(SseHead() + SseChunk(kRunStart) + SseChunk(kRunDone)), AwaitRead(), Rst()}},
           .events = 2},
      }));

// Row 32.

Fault ErrorEvent(const std::string& name, const std::string& error, StatusCode code, const std::string& reason,
                 Facts facts = {}) {
  facts["events_delivered"] = "2";
  return {.row = 32,
          .name = name,
          .scripts = {Stream(SseChunk(R"({"error":)" + error + R"(,"echo":"canary-prompt-################"})"))},
          .code = code,
          .reason = reason,
          .facts = facts,
          .events = 2,
          .aborted = true};
}
TABLE(ErrorEvents, std::vector<Fault>({
                       ErrorEvent("Auth", "\"auth\"", StatusCode::FAILED_PRECONDITION, "IGPT_AUTH"),
                       ErrorEvent("Params", "\"params\"", StatusCode::INVALID_ARGUMENT, "IGPT_PARAMS"),
                       ErrorEvent("Other", "\"quota\"", StatusCode::UNKNOWN, "IGPT_ERROR", {{"igpt_error", "quota"}}),
                       ErrorEvent("Sentence", "\"no canary-answer-################, sorry\"", StatusCode::UNKNOWN,
                                  "IGPT_ERROR", {{"igpt_error", "unrecognized"}}),
                       {.row = 32,
                        .name = "AtOnce",
                        .scripts = {{Send(SseWhole({R"({"error":"auth"})"}))}},
                        .code = StatusCode::FAILED_PRECONDITION,
                        .reason = "IGPT_AUTH"},
                   }));

// Rows 33 to 35, in events.

Fault Malformed(int row, const std::string& name, const std::string& data) {
  return {.row = row,
          .name = name,
          .scripts = {Stream(SseChunk(data))},
          .code = StatusCode::DATA_LOSS,
          .reason = "STREAM_MALFORMED",
          .facts = kTwo,
          .events = 2,
          .aborted = true,
          .within = absl::Seconds(10)};
}

TABLE(Undecodable, std::vector<Fault>({
                       Malformed(33, "NoJson", "canary-answer-################"),
                       Malformed(33, "HalfAnObject", R"({"delta":"canary-answer-################")"),
                       Malformed(33, "TwoObjects", R"({"delta":"canary-answer-################"} {})"),
                       Malformed(33, "TrailingComma", R"({"delta":"canary-answer-################",})"),
                       Malformed(33, "SingleQuotes", R"({'delta':'canary-answer-################'})"),
                       Malformed(33, "UnfinishedString", R"({"delta":"canary-answer-################)"),
                       Malformed(33, "LeadingZero", R"({"delta":"a","seq":01})"),
                       Malformed(33, "BadEscape", R"({"delta":"\canary-answer-################"})"),
                       Malformed(33, "ControlCharacter", "{\"delta\":\"canary-answer-################\x01\"}"),
                       Malformed(33, "BrokenWhereNobodyLooks", R"({"delta":"a","unknown":{"x":[1,2}})"),
                       Malformed(33, "NotANumber", R"({"delta":"a","seq":NaN})"),
                   }));

struct Bytes {
  const char* name;
  const char* bytes;
};
// The kinds of invalid UTF-8 (Unicode 15, table 3-7).
constexpr Bytes kBadUtf8[] = {
    {"LoneContinuation", "\x80"},
    {"LoneLead", "\xC3"},
    {"Overlong2", "\xC0\xAF"},
    {"Overlong3", "\xE0\x80\xAF"},
    {"Overlong4", "\xF0\x80\x80\xAF"},
    {"Surrogate", "\xED\xA0\x80"},
    {"AboveUnicode", "\xF4\x90\x80\x80"},
    {"NoByteOfUtf8", "\xFF"},
    {"CutCharacter", "\xF0\x9F\x99 "},
    {"FiveBytes", "\xF8\x88\x80\x80\x80"},
};

std::vector<Fault> BadUtf8Events() {
  std::vector<Fault> faults;
  for (const Bytes& bad : kBadUtf8) {
    faults.push_back(Malformed(34, std::string("Event") + bad.name,
                               std::string(R"({"delta":"canary-answer-################)") + bad.bytes + "\"}"));
    faults.push_back(Malformed(34, std::string("Unread") + bad.name,
                               std::string(R"({"delta":"a","unknown":{")") + bad.bytes + "\":1}}"));
  }
  return faults;
}
TABLE(BadUtf8, BadUtf8Events());

// An answer that is valid for every call, with `more` in it.
std::string AnswerWith(const std::string& more) {
  return R"({"output":"a","url":"u","datasources":[],"results":[],)" + more + "}";
}
Fault BadAnswer(int row, const std::string& name, const std::string& body) {
  return {.row = row,
          .name = name,
          .scripts = {{Send(Whole(200, body))}},
          .code = StatusCode::DATA_LOSS,
          .reason = "STREAM_MALFORMED",
          .facts = {{"events_delivered", "0"}},
          .within = absl::Seconds(10)};
}
std::vector<Fault> BadUtf8Answers() {
  std::vector<Fault> faults;
  for (const Bytes& bad : kBadUtf8) {
    faults.push_back(
        BadAnswer(34, std::string("Answer") + bad.name, AnswerWith(std::string("\"x\":\"") + bad.bytes + "\"")));
  }
  return faults;
}
TABLE(BadUtf8Answers, InCalls({Call::kWhole, Call::kList}, BadUtf8Answers()));
TABLE(BadUtf8EveryCall, InCalls(kOneAnswer, {BadAnswer(34, "Key", AnswerWith("\"\xC0\xAF\":1"))}));

// Row 35.

std::string Nested(int depth) {
  return std::string(static_cast<size_t>(depth), '[') + std::string(static_cast<size_t>(depth), ']');
}
std::string Digits(size_t count) {
  return std::string(count, '9');
}
std::string ManyKeys(int count) {
  std::string object = "{";
  for (int i = 0; i < count; ++i) absl::StrAppend(&object, i == 0 ? "" : ",", "\"", i, "\":0");
  return object + "}";
}
const std::vector<std::string> kRoomy = {"--max_event_bytes=16MiB", "--max_answer_bytes=16MiB"};

Fault Roomy(Fault fault) {
  fault.flags = kRoomy;
  return fault;
}
// An event that is valid and within the limits, so it is accepted: in bounded time, and verbatim.
Fault TakenEvent(const std::string& name, const std::string& data) {
  return {.row = 35, .name = name, .scripts = {{Send(SseWhole({data}))}}, .events = 1, .within = absl::Seconds(10)};
}

TABLE(BombEvents, std::vector<Fault>({
                      Malformed(35, "Depth65", R"({"a":)" + Nested(64) + "}"),
                      TakenEvent("Depth64", R"({"a":)" + Nested(63) + "}"),
                      Roomy(Malformed(35, "DepthOfAMillion", std::string(1'000'000, '['))),
                      Roomy(Malformed(35, "ObjectsInObjects",
                                      [] {
                                        std::string text;
                                        for (int i = 0; i < 100'000; ++i) text += "{\"a\":";
                                        return text;
                                      }())),
                      TakenEvent("GiantNumbers", R"({"seq":1e400,"delta":"a","x":)" + Digits(100'000) + "}"),
                      TakenEvent("NumberOfManyDigitsAsSeq", R"({"delta":"a","seq":)" + Digits(400) + "}"),
                      TakenEvent("AHundredThousandKeys", ManyKeys(90'000)),
                  }));
TABLE(BombAnswers, InCalls(kOneAnswer, {
                                           BadAnswer(35, "AnswerOfDepth65", AnswerWith("\"x\":" + Nested(64))),
                                           BadAnswer(35, "AnswerOfAMillionBrackets", Nested(500'000)),
                                       }));
TEST(StreamFaultTest, Row35_AMillionKeysAreTakenVerbatimInBoundedTime) {
  const std::string bomb = ManyKeys(300'000);  // fits into the caller's own limit of 4 MiB
  const Outcome outcome = RunFault(Roomy(TakenEvent("MillionKeys", bomb)));
  ASSERT_EQ(outcome.events.size(), 1U);
  EXPECT_TRUE(outcome.events[0].raw_json() == bomb);
}
TEST(StreamFaultTest, Row35_AListOfAMillionItemsIsTooLarge) {
  std::string list = R"({"results":[{})";
  for (int i = 0; i < 1'000'000; ++i) list += ",{}";
  RunFault({.row = 35,
            .name = "MillionItems",
            .call = Call::kSearch,
            .scripts = {{Send(Whole(200, list + "]}"))}},
            .code = StatusCode::RESOURCE_EXHAUSTED,
            .reason = "ANSWER_TOO_LARGE",
            .within = absl::Seconds(10)});
}
TEST(StreamFaultTest, Row35_GzipIsNotUnpacked) {
  RunFault({.row = 35,
            .name = "GzipBomb",
            .scripts = {{Send(Head(200, {{"Content-Type", "application/json"}, {"Content-Encoding", "gzip"}})),
                         Forever(std::string(60'000, '\0'))}},
            .code = StatusCode::INTERNAL,
            .reason = "IGPT_PROTOCOL",
            .facts = {{"http_status", "200"}},
            .aborted = true,
            .within = absl::Seconds(10)});
}

// Row 36. The limits apply to an event's data, to a line, to all events together, and to an answer.

constexpr int kLimit = 1000;

// JSON of this many bytes.
std::string JsonOf(int bytes) {
  const std::string frame = R"({"delta":""})";
  return R"({"delta":")" + std::string(static_cast<size_t>(bytes) - frame.size(), 'a') + R"("})";
}
Fault Sized(const std::string& name, int bytes, const std::string& flag, const std::string& body,
            const HttpHeaders& headers, size_t events_if_good, size_t events_if_bad) {
  const int over = bytes - kLimit;
  Fault fault = {.row = 36,
                 .name = name + (over < 0    ? "_NMinus1"
                                 : over == 0 ? "_N"
                                             : "_NPlus1"),
                 .scripts = {{Send(Whole(200, body, headers)), StallForGood()}},
                 .flags = {flag + "=" + std::to_string(kLimit)},
                 .events = events_if_good};
  if (over > 0) {
    fault.code = StatusCode::RESOURCE_EXHAUSTED;
    fault.reason = "ANSWER_TOO_LARGE";
    fault.events = events_if_bad;
    if (events_if_bad > 0) fault.facts = {{"events_delivered", std::to_string(events_if_bad)}};
  }
  return fault;
}
std::vector<Fault> Sizes() {
  std::vector<Fault> faults;
  for (const int bytes : {kLimit - 1, kLimit, kLimit + 1}) {
    faults.push_back(
        Sized("Event", bytes, "--max_event_bytes", SseEvent(kDelta) + SseEvent(JsonOf(bytes)), kSseHeaders, 2, 1));
    // On two data lines; the line end between them counts.
    std::string lines = "data: [\ndata: ";
    lines += std::string(static_cast<size_t>(bytes) - 3, ' ') + "]\n\n";
    faults.push_back(Sized("EventOfTwoLines", bytes, "--max_event_bytes", SseEvent(kDelta) + lines, kSseHeaders, 2, 1));
    // The limit of a line leaves room for the field's name.
    constexpr int kOverhead = 10;
    const std::string comment = ":" + std::string(static_cast<size_t>(bytes + kOverhead) - 1, 'c') + "\n\n";
    faults.push_back(
        Sized("Line", bytes, "--max_event_bytes", SseEvent(kDelta) + comment + SseEvent(kDelta), kSseHeaders, 2, 1));
    // All events together.
    const auto rest = static_cast<int>(kDelta.size());
    faults.push_back(Sized("Stream", bytes, "--max_answer_bytes", SseEvent(kDelta) + SseEvent(JsonOf(bytes - rest)),
                           kSseHeaders, 2, 1));
    const std::string frame = AnswerWith("\"x\":\"\"");
    const std::string body =
        AnswerWith("\"x\":\"" + std::string(static_cast<size_t>(bytes) - frame.size(), 'a') + "\"");
    for (Fault& fault : InCalls(kOneAnswer, {Sized("Answer", bytes, "--max_answer_bytes", body, kJsonHeaders, 0, 0)})) {
      if (IsWhole(fault.call) && fault.code == StatusCode::OK) fault.events = 1;
      faults.push_back(fault);
    }
    Fault asked_as_stream = Sized("JsonForAStream", bytes, "--max_answer_bytes", body, kJsonHeaders, 1, 0);
    faults.push_back(asked_as_stream);
  }
  return faults;
}
TABLE(Sizes, Sizes());

TEST(StreamFaultTest, Row36_AnEndlessLineIsCutOff) {
  RunFault(
      {.row = 36,
       .name = "EndlessLine",
       .scripts = {{Send(Head(200, kSseHeaders) + SseEvent(kDelta)), AwaitRead(), Forever(std::string(60'000, 'a'))}},
       .code = StatusCode::RESOURCE_EXHAUSTED,
       .reason = "ANSWER_TOO_LARGE",
       .facts = {{"events_delivered", "1"}},
       .events = 1,
       .aborted = true,
       .within = absl::Seconds(10)});
}
TEST(StreamFaultTest, Row36_AnEndlessAnswerIsCutOff) {
  RunFault({.row = 36,
            .name = "EndlessAnswer",
            .call = Call::kSearch,
            .scripts = {{Send(Head(200, kJsonHeaders)), Forever(std::string(60'000, ' '))}},
            .code = StatusCode::RESOURCE_EXHAUSTED,
            .reason = "ANSWER_TOO_LARGE",
            .aborted = true,
            .within = absl::Seconds(10)});
}

// What SSE allows but servers rarely send.

struct Dialect {
  const char* name;
  const char* body;
  size_t events;
};
class DialectTest : public ::testing::TestWithParam<Dialect> {};

TEST_P(DialectTest, IsUnderstood) {
  const Dialect& dialect = GetParam();
  const Outcome outcome = RunFault(
      {.name = dialect.name, .scripts = {{Send(Whole(200, dialect.body, kSseHeaders))}}, .events = dialect.events});
  for (const igpt::v1::RunEvent& event : outcome.events) EXPECT_EQ(event.delta(), "a");
}

constexpr Dialect kDialects[] = {
    {"Lf", "data: {\"delta\":\"a\"}\n\n", 1},
    {"Cr", "data: {\"delta\":\"a\"}\r\r", 1},
    {"Crlf", "data: {\"delta\":\"a\"}\r\n\r\n", 1},
    {"MixedLineEnds", "data: {\"delta\":\"a\"}\r\n\ndata: {\"delta\":\"a\"}\r\n\rdata: {\"delta\":\"a\"}\n\r\n", 3},
    {"ByteOrderMark",
     "\xEF\xBB\xBF"
     "data: {\"delta\":\"a\"}\n\n",
     1},
    {"Comments", ": hello\n:\n\ndata: {\"delta\":\"a\"}\n: in between\n\n:\n\n", 1},
    {"NoSpaceAfterTheColon", "data:{\"delta\":\"a\"}\n\n", 1},
    {"SeveralDataLines", "data: {\"delta\":\ndata:\"a\"\ndata: }\n\n", 1},
    {"DataLineWithoutColon", "data: {\"delta\":\ndata\ndata: \"a\"}\n\n", 1},
    {"IdRetryEventAndUnknownFields", "id: 1\nretry: 5\nevent: message\nfoo: bar\nfoo\ndata: {\"delta\":\"a\"}\n\n", 1},
    {"EventsWithoutData", "event: ping\n\nid: 3\n\ndata: {\"delta\":\"a\"}\n\n", 1},
};
INSTANTIATE_TEST_SUITE_P(RowSse, DialectTest, ::testing::ValuesIn(kDialects),
                         [](const auto& dialect) { return std::string("RowSse_") + dialect.param.name; });

// Row 56. What a broken attempt had left half.

// The first attempt, and what the second must not be glued to.
std::vector<std::string> HalfAnswers() {
  return {
      "HTTP/1.1 200 OK\r\nContent-Type: text/ev",
      SseHead() + "40\r\ndata: {\"type\":\"run.start\",\"id\":\"canary\"",
      SseHead() + SseChunk(kRunStart).substr(0, 20),
      SseHead() + Chunk(": canary\n\nevent: run.failed\n"),
      SseHead() + Chunk("data: {\"type\":\"run.output_text.delta\",\"delta\":\"canary\\ud83d\"}\n"),
      Head(200, {{"Content-Type", "application/json"}, {"Content-Length", "1000"}}) + "{\"output\":\"canary",
      Head(503, {{"Content-Type", "application/json"}, {"Content-Length", "1000"}}) + "{\"output\":\"canary",
  };
}

TEST(HalfAnswerTest, Row56_NothingOfItIsInTheNextAttemptsAnswer) {
  for (const std::string& half : HalfAnswers()) {
    for (const bool whole : {false, true}) {
      SCOPED_TRACE(half);
      const std::string answer = whole ? Whole(200, R"({"output":"Yes."})") : SseWhole({kRunStart, kRunDone});
      Igptd igptd({"--backoff_base=100ms"});
      igptd.upstream.OnNextRequest([&](Exchange& exchange) {
        exchange.Send(half);
        exchange.Reset();
      });
      igptd.upstream.OnRequest([&](Exchange& exchange) { exchange.Send(answer); });
      v1::AskRequest request = AskFor("ada", "?");
      request.set_whole_answer(whole);
      const auto stream = igptd.Ask(request);
      ASSERT_THAT(stream.status, IsOkStatus());
      ASSERT_EQ(stream.events.size(), whole ? 1U : 2U);
      EXPECT_EQ(stream.events.back().completed().text(), "Yes.");
      for (const v1::RunEvent& event : stream.events) EXPECT_EQ(event.raw_json().find("canary"), std::string::npos);
    }
  }
}

TEST(HalfAnswerTest, Row56_ABodyWithoutAHeadCompletesNothing) {
  for (const std::string& half : HalfAnswers()) {
    for (const std::string head : {"", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"}) {
      SCOPED_TRACE(half + head);
      Igptd igptd({"--backoff_base=100ms", "--max_retries=2"});
      igptd.upstream.OnNextRequest([&](Exchange& exchange) {
        exchange.Send(half);
        exchange.Reset();
      });
      igptd.upstream.OnRequest([&](Exchange& exchange) {
        exchange.Send(head + "\"}\n\n\"}");
        exchange.Close();
      });
      const auto stream = igptd.Ask(AskFor("ada", "?"));
      EXPECT_FALSE(stream.status.ok());
      EXPECT_TRUE(stream.events.empty());
    }
  }
}

}  // namespace
}  // namespace igpt::testing
