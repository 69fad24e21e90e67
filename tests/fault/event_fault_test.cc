// Events that look like something else: no part of the answer, no end of it, no damage, or an error by another name.
#include <string>
#include <vector>

#include "tests/fault/fault_case.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;

const HttpHeaders kSseHeaders = {{"Content-Type", "text/event-stream"}};

std::vector<Script> Streams(std::initializer_list<std::string_view> events) {
  return {{Send(SseWhole(events))}};
}
std::vector<Script> Body(const std::string& body) {
  return {{Send(Whole(200, body, kSseHeaders))}};
}

// The deltas, joined.
std::string TextOf(const Outcome& outcome) {
  std::string text;
  for (const v1::RunEvent& event : outcome.events) text += event.delta();
  return text;
}

// Row 49.

constexpr char kOtherDelta[] = R"({"type":"run.reasoning_summary_text.delta","delta":"no answer"})";
constexpr char kOtherOutput[] = R"({"type":"step","output":"no answer"})";

TEST(EventFaultTest, Row49_OtherDeltasAreNoPartOfTheAnswer) {
  const Outcome outcome = RunFault({.row = 49,
                                    .name = "OtherDelta",
                                    .call = Call::kRun,
                                    .scripts = Streams({kRunStart, kOtherDelta, DeltaEvent(2, "Yes."), kRunDone}),
                                    .events = 4});
  ASSERT_EQ(outcome.events.size(), 4U);
  EXPECT_EQ(TextOf(outcome), "Yes.");
  EXPECT_EQ(outcome.events[1].event_case(), v1::RunEvent::EVENT_NOT_SET);
  EXPECT_EQ(outcome.events[1].raw_json(), kOtherDelta);
}

TEST(EventFaultTest, Row49_OtherOutputsEndNoOpenRun) {
  RunFault({.row = 49,
            .name = "OtherOutput",
            .scripts = Streams({kRunStart, kOtherOutput}),
            .code = StatusCode::UNAVAILABLE,
            .reason = "STREAM_TRUNCATED",
            .facts = {{"events_delivered", "2"}},
            .events = 2});
}

class EventFaultTest : public ::testing::TestWithParam<Fault> {};

TEST_P(EventFaultTest, EndsAsTheCatalogueSays) {
  const Outcome outcome = RunFault(GetParam());
  if (outcome.status.ok()) {
    EXPECT_EQ(TextOf(outcome), "Yes.");
  }
}

#define TABLE(name, ...) INSTANTIATE_TEST_SUITE_P(name, EventFaultTest, ::testing::ValuesIn(__VA_ARGS__), NameOfParam)

// Row 50.

Fault KeptAlive(const std::string& name, const std::string& filler) {
  const std::string body =
      filler + SseEvent(kRunStart) + filler + SseEvent(DeltaEvent(1, "Yes.")) + filler + SseEvent(kRunDone) + filler;
  return {.row = 50, .name = name, .scripts = Body(body), .events = 3};
}
TABLE(KeepAlives, std::vector<Fault>({
                      KeptAlive("Empty", "data\n\n"),
                      KeptAlive("EmptyWithColon", "data:\n\n"),
                      KeptAlive("Blanks", "data:  \t \n\n"),
                      KeptAlive("EmptyLines", "data:\ndata:\n\n"),
                      KeptAlive("Named", "event: ping\ndata:\n\n"),
                      KeptAlive("Done", "data: [DONE]\n\n"),
                      KeptAlive("DoneInBlanks", "data:   [DONE] \n\n"),
                      KeptAlive("DoneInLowerCase", "data: [done]\n\n"),
                  }));

// Row 51.

Fault AfterTheEnd(const std::string& name, const std::string& rest, size_t more = 0) {
  return {.row = 51,
          .name = name,
          .scripts = Body(SseEvent(kRunStart) + SseEvent(DeltaEvent(1, "Yes.")) + SseEvent(kRunDone) + rest),
          .events = 3 + more};
}
TABLE(AfterTheEnd, std::vector<Fault>({
                       AfterTheEnd("NoJson", "data: canary-answer-################\n\n"),
                       AfterTheEnd("BadUtf8", "data: \"\xFF\"\n\n"),
                       AfterTheEnd("TooDeep", "data: " + std::string(100, '[') + "\n\n"),
                       AfterTheEnd("AnError", SseEvent(R"({"error":"auth"})")),
                       AfterTheEnd("AnErrorByName", "event: error\ndata: {}\n\n"),
                       AfterTheEnd("HalfAnEvent", "data: {\"delta\":\"a"),
                       AfterTheEnd("ADelta", SseEvent(DeltaEvent(3, "No.")), 1),
                       AfterTheEnd("AnotherEnd", SseEvent(kRunDone), 1),
                       AfterTheEnd("AnUnknownEvent", SseEvent(R"({"type":"new"})"), 1),
                   }));

// Row 52.

Fault ByName(const std::string& name, const std::string& event, const std::string& igpt_error) {
  return {.row = 52,
          .name = name,
          .scripts = Body(SseEvent(kRunStart) + event),
          .code = StatusCode::UNKNOWN,
          .reason = "IGPT_ERROR",
          .facts = {{"igpt_error", igpt_error}, {"events_delivered", "1"}},
          .events = 1};
}
Fault ByNameAtOnce(const std::string& name, const std::string& event, const std::string& igpt_error) {
  Fault fault = ByName(name, event, igpt_error);
  fault.scripts = Body(event);
  fault.facts.erase("events_delivered");
  fault.events = 0;
  return fault;
}
Fault WithoutData(const std::string& name, const std::string& body, StatusCode code, const std::string& reason,
                  Facts facts = {}) {
  return {.row = 52, .name = name, .scripts = Body(body), .code = code, .reason = reason, .facts = std::move(facts)};
}
TABLE(Errors,
      std::vector<Fault>({
          ByName("EventError", "event: error\ndata: {\"message\":\"canary-answer-################\"}\n\n", "error"),
          ByName("EventErrorWithoutJson", "event: error\ndata: canary-answer-################\n\n", "error"),
          ByName("EventErrorWithoutText", "event: error\ndata:\n\n", "error"),
          ByName("RunFailed", SseEvent(R"({"type":"run.failed","code":"overloaded"})"), "overloaded"),
          ByName("RunError", SseEvent(R"({"type":"run.error","message":"x"})"), "run.error"),
          ByName("ErrorWithACode", SseEvent(R"({"type":"error","error":{"code":"quota","message":"x"}})"), "quota"),
          ByNameAtOnce("EventErrorAtOnce", "event: error\ndata: {\"message\":\"x\"}\n\n", "error"),
          ByNameAtOnce("RunFailedAtOnce", SseEvent(R"({"type":"run.failed"})"), "run.failed"),
          WithoutData("AuthWithoutData", R"({"error":"auth"})", StatusCode::FAILED_PRECONDITION, "IGPT_AUTH"),
          WithoutData("AuthWithoutDataInLines", "\n {\"error\":\n\"auth\"}\n\n", StatusCode::FAILED_PRECONDITION,
                      "IGPT_AUTH"),
          WithoutData("QuotaWithoutData", R"({"error":"quota"})", StatusCode::UNKNOWN, "IGPT_ERROR",
                      {{"igpt_error", "quota"}}),
          WithoutData("CutWithoutData", R"({"error":"au)", StatusCode::INTERNAL, "IGPT_PROTOCOL"),
      }));

TEST(EventFaultTest, Row52_AnErrorThatIsEmptyIsNone) {
  for (const std::string error : {"\"\"", "false", "0", "{}", "[]", "null"}) {
    RunFault({.row = 52,
              .name = "EmptyError" + error,
              .call = Call::kWhole,
              .scripts = {{Send(Whole(200, R"({"output":"Yes.","error":)" + error + "}"))}},
              .events = 1});
  }
}

// Row 53.

TEST(EventFaultTest, Row53_ACharacterInTwoDeltasIsWhole) {
  const Outcome outcome = RunFault({.row = 53,
                                    .name = "TwoHalves",
                                    .scripts = Streams({kRunStart, R"({"delta":"a\ud83d"})", R"({"delta":"\ude00b"})",
                                                        R"({"type":"run.done","output":"a\ud83d\ude00b"})"}),
                                    .events = 4});
  ASSERT_EQ(outcome.events.size(), 4U);
  EXPECT_EQ(TextOf(outcome),
            "a\xF0\x9F\x98\x80"
            "b");
  EXPECT_EQ(TextOf(outcome), outcome.events[3].completed().text());
}

TEST(EventFaultTest, Row53_HalfACharacterIsReplaced) {
  const Outcome in_a_run =
      RunFault({.row = 53,
                .name = "OneHalf",
                .scripts = Streams({kRunStart, R"({"delta":"a\ud83d"})", R"({"type":"run.done","output":"a\ud83d"})"}),
                .events = 4});
  EXPECT_EQ(TextOf(in_a_run), "a\xEF\xBF\xBD");
  ASSERT_EQ(in_a_run.events.size(), 4U);
  EXPECT_TRUE(in_a_run.events[3].has_completed());
  const Outcome alone =
      RunFault({.row = 53, .name = "OneHalfAlone", .scripts = Streams({R"({"delta":"a\ud83d"})"}), .events = 2});
  EXPECT_EQ(TextOf(alone), "a\xEF\xBF\xBD");
}

}  // namespace
}  // namespace igpt::testing
