// DecodeRunEvent: the numbers, times, strings and JSON in an event.
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "igpt/internal/json/codec.h"
#include "igpt/options.h"
#include "tests/unit/sdk/run_event_text.h"

namespace igpt::internal {
namespace {

std::string Nested(int depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST(DecodeRunEvent, IsExactAboutNumbers) {
  Expect({
      {R"({"delta":"","seq":2147483647})", "seq=2147483647 delta="},
      {R"({"delta":"","seq":-2147483648})", "seq=-2147483648 delta="},
      {R"({"delta":"","seq":2147483648})", "delta= raw"},
      {R"({"delta":"","seq":-2147483649})", "delta= raw"},
      {R"({"delta":"","seq":9007199254740993})", "delta= raw"},
      {R"({"delta":"","seq":-1})", "seq=-1 delta="},
      {R"({"delta":"","seq":-0})", "seq=0 delta="},
      {R"({"delta":"","seq":9223372036854775808})", "delta= raw"},
      {R"({"delta":"","seq":18446744073709551616})", "delta= raw"},
      {R"({"delta":"","seq":1e3})", "delta= raw"},
      {R"({"delta":"","seq":1.0})", "delta= raw"},
      {R"({"delta":"","seq":"1"})", "delta= raw"},
      {R"({"type":"run.done","usage":{}})", "type=run.done answer= usage=0+0+0"},
      {R"({"type":"run.done","usage":{"input_tokens":1.5,"total_tokens":3}})", "type=run.done answer= usage=0+0+3 raw"},
      {R"({"type":"run.done","usage":{"input_tokens":2147483648,"total_tokens":2147483647}})",
       "type=run.done answer= usage=0+0+2147483647 raw"},
      {R"({"turn":2147483648})", "payload=unknown raw"},
      {R"({"type":"run.start","context":{"indexed":2147483648}})", "type=run.start started= context=| format= raw"},
      {R"({"type":"run.done","usage":5})", "type=run.done answer= raw"},
      {R"({"type":"run.start","context":{"datasources":[{"progress":1e400}]}})",
       R"(type=run.start started= context=| datasource=||||| datasource_raw={"progress":1e400} format=)"},
  });
}

TEST(DecodeRunEvent, IsExactAboutTimes) {
  const auto describe = [](const std::string& member) { return Describe(R"({"type":"run.done",)" + member + "}"); };
  const Case cases[] = {
      {R"("timestamp":0)", "to=1970-01-01T00:00:00"},
      {R"("timestamp":-1)", "to=1969-12-31T23:59:59.999"},
      {R"("timestamp":1767225600123.25)", "to=2026-01-01T00:00:00.12325"},
      {R"("timestamp":1767225600123.0000001)", "to=2026-01-01T00:00:00.123 raw"},
      {R"("timestamp":1.7672256e12)", "to=2026-01-01T00:00:00 raw"},
      {R"("timestamp":-62135596800000)", "to=1-01-01T00:00:00"},
      {R"("timestamp":-62135596800001)", "raw"},
      {R"("timestamp":253402300799999)", "to=9999-12-31T23:59:59.999"},
      {R"("timestamp":253402300800000)", "raw"},
      {R"("timestamp":9223372036854775808)", "raw"},
      {R"("timestamp":1e400)", "raw"},
      {R"("timestamp":"2026-01-01")", "raw"},
      {R"("duration":0)", "duration=0"},
      {R"("duration":12.5)", "duration=12.5ms"},
      {R"("duration":-5)", "duration=-5ms"},
      {R"("duration":0.0000015)", "duration=1ns raw"},
      {R"("duration":1e3)", "duration=1s raw"},
      {R"("duration":315576000000000)", "duration=87660000h"},
      {R"("duration":315576000000001)", "raw"},
      {R"("duration":true)", "raw"},
      {R"("metadata":{"sources":[{"timestamp":1767225600.5}]})", "source=|||| at=2026-01-01T00:00:00.5"},
      {R"("metadata":{"sources":[{"timestamp":253402300800}]})", "source=|||| raw"},
  };
  for (const Case& c : cases) EXPECT_EQ(describe(c.data), "type=run.done answer= " + c.description) << c.data;
}

TEST(DecodeRunEvent, ReadsStrings) {
  Expect({
      {R"({"delta":"\ud83d\ude00\n"})", "delta=\xF0\x9F\x98\x80\n"},
      {R"({"delta":"\ud83d"})", "delta= raw"},  // its other half may follow
      {R"({"delta":"\ude00\ud83d."})", "delta=\xEF\xBF\xBD\xEF\xBF\xBD. raw"},
      {R"({"type":"a\ud83d","turn":1})", "type=a\xEF\xBF\xBD turn=1 raw"},
      {R"({"\u0064elta":"x"})", "delta=x"},
      {R"({"delta":"x","\ud83d":1})", "delta=x raw"},
      {R"({"delta":"x","delta\u0000":"y"})", "delta=x raw"},
      {R"({"delta":"a","delta":"b"})", "delta=b raw"},
      {R"({"delta":"a","delta":null,"turn":1})", "turn=1 raw"},
      {R"({"delta":"a","delta":5,"turn":1})", "turn=1 raw"},
  });
  const absl::StatusOr<RunEvent> event = DecodeRunEvent(R"({"delta":"a\u0000b"})", "", {});
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(event->payload.As<Delta>()->text, std::string("a\0b", 3));
}

TEST(DecodeRunEvent, TakesJsonOutOfStringsWhereItWasAskedFor) {
  constexpr AnswerDecoding kJsonWanted = {.json_wanted = true};
  const std::vector<Case> cases = {
      {R"({"output":"{\"b\": 1e400, \"a\":2}"})", R"(answer= json={"b": 1e400, "a":2})"},
      {R"({"output":" [1] "})", "answer= json= [1] "},
      {R"({"output":"\"x\""})", "answer= json=\"x\""},
      {R"({"output":"null"})", "answer= json=null"},
      {R"({"output":{"a":1}})", R"(answer= json={"a":1})"},
      {R"({"output":12})", "answer= json=12"},
      {R"({"type":"run.done","output":null})", "type=run.done answer="},
      {R"({"delta":"not yet"})", "delta=not yet"},
      {R"({"output":"[\"\ud83d\"]"})", "answer= json=[\"\xEF\xBF\xBD\"] raw"},
      {R"({"output":")" + Nested(kMaxJsonDepth) + R"("})", "answer= json=" + Nested(kMaxJsonDepth)},
  };
  for (const Case& c : cases) EXPECT_EQ(Describe(c.data, "", kJsonWanted), c.description) << c.data;
  for (const std::string& data :
       {std::string(R"({"output":"not JSON"})"), std::string(R"({"output":""})"), std::string(R"({"output":"{} {}"})"),
        std::string(R"({"output":"{\"a\":"})"), R"({"output":")" + Nested(kMaxJsonDepth + 1) + R"("})"}) {
    EXPECT_EQ(Describe(data, "", kJsonWanted), "malformed") << data;
  }
  EXPECT_EQ(Describe(R"({"output":"{\"a\":1}"})"), R"(answer= text={"a":1})");
}

}  // namespace
}  // namespace igpt::internal
