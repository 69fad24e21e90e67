#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "service/sandbox/answer.h"
#include "service/sandbox/events.h"

namespace igptd::sandbox {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

TEST(AnswerTest, QuotesTheDecision) {
  const Findings findings = FindFor("What did we decide about the budget?", Mailbox());
  EXPECT_TRUE(findings.connected);
  EXPECT_TRUE(findings.matched);
  EXPECT_THAT(
      Prose(findings),
      StartsWith("On 11 June 2026 Elena Petrova wrote in “Decision: second-half budget”: “We decided to approve "
                 "the second-half budget at 412,000 euros, 18,000 less than proposed. […] Emma will send the "
                 "final budget allocation by 19 June.”\n\nSee also:\n- "));
}

TEST(AnswerTest, QuotesOnlyWhatIsInTheMessages) {
  for (const char* question : {"budget", "Who did we hire?", "launch date", "travel", "invoices", "nothing like it"}) {
    const Findings findings = FindFor(question, Mailbox());
    for (const Message* message : findings.messages) {
      EXPECT_NE(message->body.find(BestSentence(*message, question)), std::string_view::npos) << question;
    }
  }
}

TEST(AnswerTest, LeavesNoGapBetweenSentencesThatFollowOneAnother) {
  const Message message{"x", "t", "2026-02-01T00:00:00Z",       "A <a@example.com>",
                        {},  "S", "The pie is 3.5 euros. Pie!", {}};
  Findings findings{"pie", true, true, {&message}};
  EXPECT_EQ(Prose(findings), "On 1 February 2026 A wrote in “S”: “The pie is 3.5 euros. Pie!”");
}

TEST(AnswerTest, ShowsTheNewestWhenNothingMatches) {
  const Findings findings = FindFor("Any giraffes?", Mailbox());
  EXPECT_FALSE(findings.matched);
  ASSERT_THAT(findings.messages, SizeIs(4));
  EXPECT_EQ(findings.messages.front(), &Mailbox().back());
  EXPECT_THAT(Prose(findings), StartsWith("No message matches the question. The newest one is “Board meeting notes, "));
}

TEST(AnswerTest, SaysThatNothingIsConnected) {
  const Findings findings = FindFor("What did we decide about the budget?", {});
  EXPECT_FALSE(findings.connected);
  EXPECT_THAT(Prose(findings), HasSubstr("Nothing is connected"));
  EXPECT_THAT(Prose(findings), Not(HasSubstr("euros")));
  EXPECT_EQ(Sources(findings, "mailbox-1"), Json::array());
  EXPECT_EQ(JsonAnswer(findings, "mailbox-1")["sources"], Json::array());
}

TEST(AnswerTest, NamesItsSources) {
  const Findings findings{"q", true, true, {&Mailbox()[0]}};
  EXPECT_EQ(Sources(findings, "mailbox-7"), Json::parse(R"([{"id": "mailbox-7/m01", "type": "message",
      "timestamp": 1771319520, "provider": "Emma Clarke", "picture": "https://example.com/pictures/emma-clarke.png",
      "title": "Budget allocation for the second quarter"}])"));
  EXPECT_EQ(JsonAnswer(findings, "mailbox-7")["sources"], Json::parse(R"([{"id": "mailbox-7/m01",
      "title": "Budget allocation for the second quarter", "from": "Emma Clarke <emma@example.com>",
      "date": "2026-02-17T09:12:00Z"}])"));
}

Run SomeRun(Json output) {
  Run run;
  run.id = "run-1";
  run.started = absl::FromUnixMillis(1000);
  run.question = "Why \"so\"?";
  run.quality = "cef-1-normal";
  run.reasoning_effort = "low";
  run.output_format = "text";
  run.datasources = Json::array({{{"id", "spike/mailbox-1/messages"}}});
  run.sources = Json::array({{{"id", "mailbox-1/m01"}}});
  run.output = std::move(output);
  return run;
}

std::string JoinedDeltas(const std::vector<Json>& events) {
  std::string text;
  for (const Json& event : events) {
    if (event["type"] == "run.output_text.delta") text += event["delta"];
  }
  return text;
}

TEST(EventsTest, AreThoseOfTheLifecycle) {
  std::vector<std::string> types;
  const std::vector<Json> events = RunEvents(SomeRun("One two."));
  for (size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i]["seq"], i);
    types.push_back(events[i]["type"]);
  }
  EXPECT_THAT(types,
              ElementsAre("run.start", "run.turn.start", "run.reasoning_item.start", "run.reasoning_item.done",
                          "run.tool_call_item", "run.turn.done", "run.tool_call_output_item", "run.turn.start",
                          "run.reasoning_item.start", "run.reasoning_summary_part.start",
                          "run.reasoning_summary_part.done", "run.reasoning_item.done", "run.output_item.start",
                          "run.output_text.delta", "run.output_text.delta", "run.output_item.done", "run.turn.done"));
  EXPECT_EQ(events[0], Json::parse(R"({"type": "run.start", "seq": 0, "id": "run-1", "timestamp": 1000,
      "context": {"quality": "cef-1-normal", "reasoning_effort": "low", "indexed": 1,
                  "datasources": [{"id": "spike/mailbox-1/messages"}]}, "output_format": "text"})"));
  EXPECT_EQ(events[1]["turn"], 1);
  EXPECT_EQ(events[7]["turn"], 2);
  const Json& call = events[4]["item"];
  EXPECT_EQ(call["type"], "function_call");
  EXPECT_EQ(Json::parse(call["arguments"].get<std::string>())["query"], "Why \"so\"?");
  const Json& result = events[6]["item"];
  EXPECT_EQ(result["type"], "function_call_result");
  EXPECT_EQ(result["callId"], call["callId"]);
  EXPECT_EQ(result["metadata"]["sources"], SomeRun("").sources);
}

TEST(EventsTest, EndWithTheWholeAnswer) {
  const auto run = SomeRun("One two.");
  EXPECT_EQ(RunDone(run, 17, absl::Milliseconds(250)), Json::parse(R"({"type": "run.done", "seq": 17, "id": "run-1",
      "timestampStart": 1000, "timestamp": 1250, "duration": 250, "output": "One two.",
      "usage": {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12},
      "metadata": {"sources": [{"id": "mailbox-1/m01"}]}})"));
}

TEST(EventsTest, DeltasJoinedAreTheAnswer) {
  const std::string words = "Ein  Wort – und ";
  const std::string no_spaces(100, 'x');
  std::string umlauts = "a";  // every cut would be inside a character
  for (int i = 0; i < 50; ++i) umlauts += "ü";
  for (const std::string& text : {words, no_spaces, umlauts, std::string("x"), std::string()}) {
    const std::vector<Json> events = RunEvents(SomeRun(text));
    EXPECT_EQ(JoinedDeltas(events), text);
    for (const Json& event : events) {
      // Each is UTF-8 by itself: dump throws when it isn't.
      EXPECT_NO_THROW(static_cast<void>(event.dump()));
    }
    EXPECT_EQ(events[events.size() - 2]["item"]["content"][0]["text"], text);
  }
}

TEST(EventsTest, DeltasOfJsonJoinedAreItsText) {
  const Json output = {{"b", 1}, {"a", {"x y", nullptr}}};
  const std::vector<Json> events = RunEvents(SomeRun(output));
  EXPECT_EQ(JoinedDeltas(events), R"({"b":1,"a":["x y",null]})");
  EXPECT_EQ(RunDone(SomeRun(output), 1, absl::ZeroDuration())["output"], output);
}

}  // namespace
}  // namespace igptd::sandbox
