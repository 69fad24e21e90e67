// DecodeRunEvent: what becomes of each event and each of its members.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>
#include <vector>

#include "tests/unit/sdk/run_event_text.h"

namespace igpt::internal {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using OrderedJson = nlohmann::ordered_json;

// Every event that iGPT documents, with every key.
const std::vector<Case>& Documented() {
  static const auto& cases = *new std::vector<Case>{
      {R"({"type":"run.start","seq":0,"id":"run_1","timestamp":1767225600123,"context":{"quality":"cef-4-high",)"
       R"("reasoning_effort":"low","indexed":2,"datasources":[{"id":"spike/1/messages","service":"spike",)"
       R"("type":"spike/messages","status":"enabled","title":"Mail","subtitle":"ada@example.com","progress":99.5,)"
       R"("newest":1767225600,"oldest":1735689600}]},"output_format":{"schema":{"b":1,"a":2}}})",
       "type=run.start seq=0 started=run_1 at=2026-01-01T00:00:00.123 context=cef-4-high|low indexed=2 "
       "datasource=spike/1/messages|spike|spike/messages|enabled|Mail|ada@example.com progress=99.500000 "
       "newest=2026-01-01T00:00:00 oldest=2025-01-01T00:00:00 format={\"schema\":{\"b\":1,\"a\":2}}"},
      {R"({"type":"run.turn.start","seq":1,"turn":1})", "type=run.turn.start seq=1 turn=1 stage=started"},
      {R"({"type":"run.turn.done","seq":2,"turn":1})", "type=run.turn.done seq=2 turn=1 stage=done"},
      {R"({"type":"run.reasoning_item.start","seq":3,"item":{"type":"reasoning"}})",
       "type=run.reasoning_item.start seq=3 reasoning= stage=started"},
      {R"({"type":"run.reasoning_item.done","seq":4,"item":{"type":"reasoning","content":[],"summary":[)"
       R"({"type":"summary_text","text":"Look"},{"type":"summary_text","text":"then leap"}]}})",
       "type=run.reasoning_item.done seq=4 reasoning=Look|then leap stage=done"},
      {R"({"type":"run.reasoning_summary_part.start","seq":5})",
       "type=run.reasoning_summary_part.start seq=5 reasoning= stage=part_started"},
      {R"({"type":"run.reasoning_summary_part.done","seq":6,"text":"Look"})",
       "type=run.reasoning_summary_part.done seq=6 reasoning=Look stage=part_done"},
      {R"({"type":"run.tool_call_item","seq":7,"item":{"type":"function_call","arguments":"{\"q\":1}","name":"search",)"
       R"("callId":"c1"}})",
       "type=run.tool_call_item seq=7 call=search|{\"q\":1}|c1"},
      {R"({"type":"run.tool_call_output_item","seq":8,"item":{"type":"function_call_result","name":"search","callId":"c1",)"
       R"("metadata":{"sources":[{"id":"m1","type":"message","timestamp":1767225600,"provider":"Emma",)"
       R"("picture":"https://example.com/e.png","title":"Notes"}]}}})",
       "type=run.tool_call_output_item seq=8 called=search|c1 "
       "source=m1|message|Emma|https://example.com/e.png|Notes at=2026-01-01T00:00:00"},
      {R"({"type":"run.output_item.start","seq":9,"item":{"type":"message"}})",
       "type=run.output_item.start seq=9 item= text= stage=started"},
      {R"({"type":"run.output_text.delta","seq":10,"delta":"Hel\"lo"})",
       "type=run.output_text.delta seq=10 delta=Hel\"lo"},
      {R"({"type":"run.output_item.done","seq":11,"item":{"type":"message","content":[{"type":"output_text",)"
       R"("text":"Hello"},{"type":"output_text","text":"world"}],"role":"assistant"}})",
       "type=run.output_item.done seq=11 item=assistant text=Hello|world stage=done"},
      {R"({"type":"run.done","id":"run_1","seq":12,"timestampStart":1767225600123,"timestamp":1767225601456,)"
       R"("duration":1333,"output":"Hello world","usage":{"input_tokens":10,"output_tokens":2,"total_tokens":12},)"
       R"("metadata":{"sources":[{"id":"m1","type":"message","timestamp":1767225600,"provider":"Emma",)"
       R"("picture":"https://example.com/e.png","title":"Notes"}]}})",
       "type=run.done seq=12 answer=run_1 from=2026-01-01T00:00:00.123 to=2026-01-01T00:00:01.456 duration=1.333s "
       "text=Hello world usage=10+2+12 source=m1|message|Emma|https://example.com/e.png|Notes at=2026-01-01T00:00:00"}};
  return cases;
}

TEST(DecodeRunEvent, HoldsWhatIsDocumented) {
  Expect(Documented());
  for (const Case& c : Documented()) EXPECT_EQ(Describe("\n " + c.data + "\r\n"), c.description);
}

TEST(DecodeRunEvent, RefusesEveryPrefix) {
  for (const Case& c : Documented()) {
    for (size_t size = 0; size < c.data.size(); ++size) {
      EXPECT_EQ(Describe(c.data.substr(0, size)), "malformed") << size << " of " << c.data;
    }
  }
}

TEST(DecodeRunEvent, FillsRawJsonOnDemand) {
  for (const Case& c : Documented()) {
    const std::string line = Describe(c.data, "", {.include_raw = true});
    EXPECT_THAT(line, EndsWith(" raw"));
    EXPECT_EQ(line.find("datasource=") != line.npos, line.find("datasource_raw={\"id\"") != line.npos) << line;
  }
}

// Calls back with every object inside an event and how to get there.
void ForEachObject(OrderedJson& json, const OrderedJson::json_pointer& path,
                   const std::function<void(OrderedJson& object, const OrderedJson::json_pointer& path)>& on_object) {
  if (!json.is_structured() || path.to_string() == "/output_format") return;  // any JSON has a home there
  if (json.is_object()) on_object(json, path);
  for (auto& [key, value] : json.items()) {
    ForEachObject(value, json.is_array() ? path / std::stoul(key) : path / key, on_object);
  }
}

// Nothing of any documented event can be lost, whichever key is damaged: what has no field sets raw_json, of the
// datasource if it is one's and of the event if not. What is only missing does not.
TEST(DecodeRunEvent, LosesNothing) {
  for (const Case& c : Documented()) {
    OrderedJson event = OrderedJson::parse(c.data);
    const auto expect_raw = [](const std::string& data, const std::string& path) {
      const std::string line = Describe(data);
      if (path.find("/datasources/") == path.npos) {
        EXPECT_THAT(line, EndsWith(" raw")) << data;
      } else {
        EXPECT_THAT(line, AllOf(HasSubstr("datasource_raw="), Not(EndsWith(" raw")))) << data;
      }
    };
    ForEachObject(event, OrderedJson::json_pointer(), [&](OrderedJson& object, const OrderedJson::json_pointer& path) {
      const OrderedJson whole = object;
      for (const auto& [key, value] : whole.items()) {
        const std::string here = (path / key).to_string();

        object.erase(key);
        const std::string missing = Describe(event.dump());
        // Without its own type, what is inside an item has no known meaning.
        const bool lost = missing.find("unknown") != missing.npos || here.find("/0/type") != here.npos ||
                          here.find("/1/type") != here.npos;
        const bool is_datasource = here.find("/datasources/") != here.npos || here.find("/sources/") != here.npos;
        EXPECT_EQ(missing.ends_with(" raw"), lost && !is_datasource) << event.dump();
        object = whole;

        object[key] = nullptr;
        EXPECT_EQ(Describe(event.dump()), missing) << event.dump();

        object[key] = OrderedJson::parse("[[]]");
        if (key == "datasources") {
          EXPECT_THAT(Describe(event.dump()), HasSubstr("datasource=||||| datasource_raw=[] "));
        } else if (key != "output" && key != "output_format") {
          expect_raw(event.dump(), here);
        }
        object = whole;

        const std::string member = OrderedJson(key).dump() + ':' + value.dump() + ',';
        std::string twice = event.dump();
        const std::string object_text = object.dump();
        twice.insert(twice.find(object_text) + 1, member);
        expect_raw(twice, here);
      }
      object["unheard_of"] = nullptr;
      expect_raw(event.dump(), path.to_string() + "/");
      object = whole;
    });
  }
}

// Other events of a run have deltas of their own, which are no part of the answer.
TEST(DecodeRunEvent, TakesForTheAnswerOnlyItsOwnDeltas) {
  Expect({
      {R"({"type":"run.output_text.delta","delta":"x"})", "type=run.output_text.delta delta=x"},
      {R"({"type":"message","delta":"x"})", "type=message delta=x"},
      {R"({"type":"run.reasoning_summary_text.delta","delta":"x"})",
       "type=run.reasoning_summary_text.delta payload=unknown raw"},
      {R"({"type":"run.tool_call_arguments.delta","delta":"{","item":{"type":"function_call","name":"f"}})",
       "type=run.tool_call_arguments.delta call=f|| raw"},
      {R"({"type":"chunk","delta":"x"})", "type=chunk payload=unknown raw"},
      {R"({"type":"run.output_text.delta.","delta":"x"})", "type=run.output_text.delta. payload=unknown raw"},
  });
}

TEST(DecodeRunEvent, EndsAnOpenRunOnlyWithRunDone) {
  const Case cases[] = {
      {R"({"output":"x"})", "payload=unknown raw"},
      {R"({"type":"answer","output":"x"})", "type=answer payload=unknown raw"},
      {R"({"delta":"x"})", "delta=x"},
      {R"({"type":"run.start"})", "type=run.start started= context=| format="},
      {R"({"type":"run.done","output":"x"})", "type=run.done answer= text=x"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Describe(c.data, "", {}, {.run = RunProgress::Run::kOpen, .half = {}}), c.description) << c.data;
  }
}

TEST(DecodeRunEvent, AddsNothingToAWholeAnswer) {
  const Case cases[] = {
      {R"({"delta":"x"})", "payload=unknown raw"},
      {R"({"type":"run.output_text.delta","delta":"x"})", "type=run.output_text.delta payload=unknown raw"},
      {R"({"output":"x"})", "payload=unknown raw"},
      {R"({"type":"run.done","output":"x"})", "type=run.done payload=unknown raw"},
      {R"({"type":"run.turn.done","turn":1})", "type=run.turn.done payload=unknown raw"},
      {R"({"type":"run.start"})", "type=run.start started= context=| format="},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Describe(c.data, "", {}, {.run = RunProgress::Run::kFinished, .half = {}}), c.description) << c.data;
  }
}

TEST(DecodeRunEvent, KeepsTheRunsProgress) {
  RunProgress progress;
  const auto run_after = [&progress](const std::string& data) {
    DescribeNext(data, "", {}, progress);
    return progress.run;
  };
  EXPECT_EQ(run_after(R"({"delta":"x"})"), RunProgress::Run::kNone);
  EXPECT_EQ(run_after(R"({"type":"run.start"})"), RunProgress::Run::kOpen);
  EXPECT_EQ(run_after(R"({"output":"x"})"), RunProgress::Run::kOpen);
  EXPECT_EQ(run_after(R"({"type":"run.done"})"), RunProgress::Run::kFinished);
  EXPECT_EQ(run_after(R"({"type":"run.start"})"), RunProgress::Run::kOpen);
}

TEST(DecodeRunEvent, EndsNoRunWithAnAnswerThatCannotBeRead) {
  RunProgress progress;
  EXPECT_EQ(DescribeNext(R"({"type":"run.start"})", "", {}, progress), "type=run.start started= context=| format=");
  EXPECT_EQ(DescribeNext(R"({"type":"run.done","output":"no JSON"})", "", {.json_wanted = true}, progress),
            "malformed");
  EXPECT_EQ(progress.run, RunProgress::Run::kOpen);
}

TEST(DecodeRunEvent, TellsErrorsByTheirName) {
  struct NamedCase {
    std::string data;
    std::string name;
    std::string description;
  };
  const NamedCase cases[] = {
      {R"({"message":"x"})", "error", "api:error"},
      {R"({"type":"error","message":"x"})", "", "api:error"},
      {R"({"type":"run.error","code":"overloaded"})", "", "api:overloaded"},
      {R"({"type":"run.failed","code":"auth"})", "", "auth"},
      {R"({"type":"run.failed","code":"two words"})", "", "api:unrecognized"},
      {R"({"type":"run.failed","error":{"code":"params","message":"x"}})", "", "params"},
      {R"({"type":"run.failed","error":null,"output":"x"})", "", "api:run.failed"},
      {"it failed", "error", "api:error"},
      {"", "error", "api:error"},
      {R"({"type":"run.tool_call.failed"})", "", "type=run.tool_call.failed payload=unknown raw"},
      {R"({"type":"errors"})", "", "type=errors payload=unknown raw"},
      {R"({"type":"run.note"})", "error", "type=run.note payload=unknown raw"},
  };
  for (const NamedCase& c : cases) EXPECT_EQ(Describe(c.data, c.name), c.description) << c.data << c.name;
}

// A character of two surrogates can be cut between them: the deltas joined must be the answer.
TEST(DecodeRunEvent, JoinsTheHalvesOfACharacter) {
  struct Sequence {
    std::vector<std::string> deltas;  // as JSON strings, without their quotes
    std::vector<std::string> texts;
    bool pending = false;
  };
  const Sequence sequences[] = {
      {{R"(a\ud83d)", R"(\ude00b)"},
       {"a",
        "\xF0\x9F\x98\x80"
        "b"}},
      {{R"(\uD83D)", R"(\uDE00)"}, {"", "\xF0\x9F\x98\x80"}},
      {{R"(\ud83d)", "", R"(\ude00)"}, {"", "", "\xF0\x9F\x98\x80"}},
      {{R"(\ud83d)", "x"}, {"", "\xEF\xBF\xBDx"}},
      {{R"(\ud83d)", R"(\ud83d)", R"(\ude00)"}, {"", "\xEF\xBF\xBD", "\xF0\x9F\x98\x80"}},
      {{R"(\ude00)"}, {"\xEF\xBF\xBD"}},
      {{R"(a\ud83d)"}, {"a"}, true},
      {{R"(\\ud83d)", R"(\ude00)"}, {"\\ud83d", "\xEF\xBF\xBD"}},
      {{R"(\\\ud83d)", R"(\ude00)"}, {"\\", "\xF0\x9F\x98\x80"}},
      {{R"(\ud83d\ude00\ud83d)", R"(\ude00)"}, {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"}},
  };
  for (const Sequence& sequence : sequences) {
    RunProgress progress;
    std::vector<std::string> texts;
    for (const std::string& delta : sequence.deltas) {
      const auto event = DecodeRunEvent(R"({"delta":")" + delta + R"("})", "", {}, progress);
      ASSERT_TRUE(event.ok()) << delta;
      texts.push_back(event->payload.As<Delta>()->text);
    }
    EXPECT_EQ(texts, sequence.texts) << sequence.deltas[0];
    EXPECT_EQ(!progress.half.empty(), sequence.pending) << sequence.deltas[0];
  }
}

TEST(DecodeRunEvent, GoesByShapeFirst) {
  Expect({
      {R"({"delta":"x"})", "delta=x"},
      {R"({"seq":1,"delta":""})", "seq=1 delta="},
      {R"({"delta":"x","output":null,"id":null})", "delta=x"},
      {R"({"delta":"x","output":"y"})", "delta=x raw"},
      {R"({"delta":"x","turn":1})", "delta=x raw"},
      {R"({"delta":5})", "payload=unknown raw"},
      {R"({"delta":null})", "payload=unknown raw"},
      {R"({"delta":null,"output":"y"})", "answer= text=y"},
      {R"({"delta":{"t":1},"output":"y"})", "answer= text=y raw"},
      {R"({"output":"hi","id":"r"})", "answer=r text=hi"},
      {R"({"output":{"b":1e400,"a":[1], "a":2}})", R"(answer= json={"b":1e400,"a":[1], "a":2})"},
      {R"({"output": [ 1 ] })", "answer= json=[ 1 ]"},
      {R"({"output":18446744073709551616})", "answer= json=18446744073709551616"},
      {R"({"output":false})", "answer= json=false"},
      {R"({"type":"answer","output":"hi","turn":2})", "type=answer answer= text=hi raw"},
      {R"({"output":"hi","citations":[]})", "answer= text=hi raw"},
      {R"({"turn":3})", "turn=3"},
      {R"({"turn":3.5})", "payload=unknown raw"},
      {R"({"turn":"3"})", "payload=unknown raw"},
      {R"({"item":{"type":"message"}})", "item= text="},
      {R"({"item":{"type":"message"},"turn":1})", "item= text= raw"},
      {R"({"item":{"type":"unheard_of"}})", "payload=unknown raw"},
      {R"({"item":{}})", "payload=unknown raw"},
      {R"({"item":[]})", "payload=unknown raw"},
      {R"({"text":"x"})", "payload=unknown raw"},
      {R"({"type":"run.reasoning_summary_part.done","text":"x","id":"r"})",
       "type=run.reasoning_summary_part.done reasoning=x stage=part_done raw"},
      {R"({"type":"run.start","turn":1})", "type=run.start started= context=| format= raw"},
      {R"({"context":{"quality":"q"}})", "payload=unknown raw"},
      {R"({})", "payload=unknown raw"},
      {R"({"type":"ping"})", "type=ping payload=unknown raw"},
  });
}

// Only run.done ends a run: another event of a run that happens to have an output must not be taken for the answer.
TEST(DecodeRunEvent, KnowsTheAnswerOfARun) {
  Expect({
      {R"({"type":"run.done"})", "type=run.done answer="},
      {R"({"type":"run.done","output":null})", "type=run.done answer="},
      {R"({"type":"run.done","output":"x","turn":3})", "type=run.done answer= text=x raw"},
      {R"({"type":"run.done","delta":"x"})", "type=run.done answer= raw"},
      {R"({"type":"run.start","output":"x"})", "type=run.start started= context=| format= raw"},
      {R"({"type":"run.turn.done","turn":1,"output":"x"})", "type=run.turn.done turn=1 stage=done raw"},
      {R"({"type":"run.step","output":"x"})", "type=run.step payload=unknown raw"},
      {R"({"type":"run.tool_call_output_item","item":{"type":"function_call_result"},"output":"x"})",
       "type=run.tool_call_output_item called=| raw"},
      {R"({"type":"running","output":"x"})", "type=running answer= text=x"},
      {R"({"output":null})", "payload=unknown raw"},
  });
}

TEST(DecodeRunEvent, SplitsItemsByTheirType) {
  Expect({
      {R"({"item":{"content":[{"text":"a","type":"output_text"}],"type":"message"}})", "item= text=a"},
      {R"({"item":{"type":"message","content":[{"type":"output_text","text":"a","annotations":[]}]}})",
       "item= text=a raw"},
      {R"({"item":{"type":"message","content":[{"type":"refusal","text":"a"},{"type":"output_text","text":"b"}]}})",
       "item= text=b raw"},
      {R"({"item":{"type":"message","content":["a",{"type":"output_text","text":"b"}]}})", "item= text=b raw"},
      {R"({"item":{"type":"message","content":[{"type":"output_text"}]}})", "item= text="},
      {R"({"item":{"type":"message","name":"n"}})", "item= text= raw"},
      {R"({"item":{"type":"reasoning","content":[{"type":"reasoning_text","text":"a"}]}})", "reasoning= raw"},
      {R"({"item":{"type":"reasoning","content":[1]}})", "reasoning= raw"},
      {R"({"item":{"type":"reasoning","summary":[{"type":"other","text":"a"}]}})", "reasoning= raw"},
      {R"({"item":{"type":"reasoning","role":"assistant"}})", "reasoning= raw"},
      {R"({"item":{"type":"function_call","name":"f","arguments":{"q":1}}})", "call=f|| raw"},
      {R"({"item":{"type":"function_call","name":"f","arguments":"{bad"}})", "call=f|{bad|"},
      {R"({"item":{"type":"function_call","metadata":{}}})", "call=|| raw"},
      {R"({"item":{"type":"function_call_result","metadata":{"sources":[]}}})", "called=|"},
      {R"({"item":{"type":"function_call_result","metadata":{"sources":[{"id":"a"},5,{"id":"b"}]}}})",
       "called=| source=a|||| source=b|||| raw"},
      {R"({"item":{"type":"function_call_result","arguments":"{}"}})", "called=| raw"},
  });
}

TEST(DecodeRunEvent, TellsTheStageByTheEndOfTheType) {
  Expect({
      {R"({"type":"run.turn.begin","turn":1})", "type=run.turn.begin turn=1"},
      {R"({"type":"turn.start","turn":1})", "type=turn.start turn=1 stage=started"},
      {R"({"type":"start","turn":1})", "type=start turn=1"},
      {R"({"type":".done","turn":1})", "type=.done turn=1 stage=done"},
      {R"({"type":"run.turn.","turn":1})", "type=run.turn. turn=1"},
      {R"({"type":"run.turn.done ","turn":1})", "type=run.turn.done  turn=1"},
      {R"({"type":"run.message_part.start","item":{"type":"message"}})",
       "type=run.message_part.start item= text= stage=part_started"},
      {R"({"type":"run.message_part.done","item":{"type":"message"}})",
       "type=run.message_part.done item= text= stage=part_done"},
      {R"({"type":"run.part.done","item":{"type":"reasoning"}})", "type=run.part.done reasoning= stage=done"},
      {R"({"type":"run.tool_call_item.done","item":{"type":"function_call"}})", "type=run.tool_call_item.done call=||"},
  });
}

TEST(DecodeRunEvent, TakesTheTypeFromTheName) {
  struct NamedCase {
    std::string data;
    std::string description;
  };
  const NamedCase cases[] = {
      {R"({"delta":"x"})", "type=run.done answer= raw"},
      {R"({})", "type=run.done answer="},
      {R"({"type":"run.turn.start","turn":1})", "type=run.turn.start turn=1 stage=started"},
      {R"({"type":null,"output":"x"})", "type=run.done answer= text=x"},
      {R"({"type":"","output":"x"})", "type=run.done answer= text=x"},
      {R"({"type":5,"output":"x"})", "type=run.done answer= text=x raw"},
      {R"("hello")", "type=run.done payload=unknown raw"},
  };
  for (const NamedCase& c : cases) EXPECT_EQ(Describe(c.data, "run.done"), c.description) << c.data;
}

TEST(DecodeRunEvent, HandsOnWhatIsNoObject) {
  for (const std::string data : {"null", "true", "-1.5e400", R"("hello")", "[1]", " [] ", R"("\ud83d")"}) {
    EXPECT_EQ(Describe(data), "payload=unknown raw") << data;
  }
}

}  // namespace
}  // namespace igpt::internal
