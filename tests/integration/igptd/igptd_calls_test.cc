// The RPCs from end to end: what igptd sends to iGPT, byte for byte, and what the caller gets.
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "igpt/version.h"
#include "tests/integration/igptd/igptd_fixture.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Handler Answers(std::string body) {
  return [body = std::move(body)](Exchange& exchange) { exchange.Answer(200, body); };
}

template <typename... Json>
Handler Streams(const Json&... json) {
  return [events = std::vector<std::string>{json...}](Exchange& exchange) {
    exchange.StartSse();
    for (const std::string& event : events) exchange.SendSse(event);
    exchange.EndChunked();
  };
}

void WithRequestId(grpc::ClientContext& context) {
  context.AddMetadata("x-request-id", "id-1");
}

// The whole head of a request with the request id of WithRequestId(), and the trace and body size of `request`.
std::string HeadOf(const Igptd& igptd, std::string_view path, std::string_view accept, const HttpRequest& request) {
  return "POST /v1/" + std::string(path) + " HTTP/1.1\r\n" +
         "Host: 127.0.0.1:" + std::to_string(igptd.upstream.port()) + "\r\n" +           //
         "Authorization: Bearer ak:test\r\n" +                                           //
         "Content-Type: application/json\r\n" +                                          //
         "Accept: " + std::string(accept) + "\r\n" +                                     //
         "X-Client: igptd/" + kVersion + "\r\n" +                                        //
         "User-Agent: igptd/" + kVersion + " igpt-cpp/" + kVersion + "\r\n" +            //
         "X-Request-Id: id-1\r\n" +                                                      //
         "traceparent: " + request.Header("traceparent").value_or("nothing") + "\r\n" +  //
         "Content-Length: " + std::to_string(request.body.size()) + "\r\n\r\n";
}

void ExpectOnlyRequest(const Igptd& igptd, std::string_view path, std::string_view accept, const std::string& body) {
  const std::vector<HttpRequest> requests = igptd.upstream.requests();
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_EQ(requests[0].body, body);
  EXPECT_EQ(requests[0].head, HeadOf(igptd, path, accept, requests[0]));
}

TEST(IgptdCallsTest, Authorize) {
  Igptd igptd;
  igptd.upstream.OnNextRequest(Answers(R"({"url":"https://connect.example/a?b=1&c"})"));
  v1::AuthorizeRequest request;
  request.set_user("ada");
  request.set_service("spike");
  request.set_scope("messages files");
  request.set_redirect_uri("https://app.example/back");
  request.set_state("line\nbreak \"quoted\" ü");
  const auto answer = igptd.Authorize(request, WithRequestId);
  ASSERT_THAT(answer.status, IsOkStatus());
  EXPECT_EQ(answer.response.url(), "https://connect.example/a?b=1&c");
  EXPECT_EQ(answer.response.raw_json(), "");
  ExpectOnlyRequest(igptd, "connectors/authorize/", "application/json",
                    R"({"user":"ada","service":"spike","scope":"messages files",)"
                    R"("redirect_uri":"https://app.example/back","state":"line\nbreak \"quoted\" ü"})");
}

TEST(IgptdCallsTest, List) {
  Igptd igptd;
  constexpr char kKnown[] =
      R"({"id":"a/b/c","service":"spike","type":"spike/messages","status":"enabled","title":"T","subtitle":"S",)"
      R"("progress":99.5,"newest":1700000000,"oldest":1600000000})";
  constexpr char kUnknown[] = R"({"id":"d","status":{"code":9007199254740993}, "new":"\ud800"})";
  igptd.upstream.OnNextRequest(Answers(std::string(R"({"datasources":[)") + kKnown + "," + kUnknown + "]}"));
  v1::ListRequest request;
  request.set_user("ada");
  const auto answer = igptd.List(request, WithRequestId);
  ASSERT_THAT(answer.status, IsOkStatus());
  EXPECT_EQ(answer.response.raw_json(), "");
  ASSERT_THAT(answer.response.datasources(), SizeIs(2));
  const v1::Datasource& known = answer.response.datasources(0);
  EXPECT_EQ(known.id(), "a/b/c");
  EXPECT_EQ(known.type(), "spike/messages");
  EXPECT_EQ(known.status(), "enabled");
  EXPECT_EQ(known.progress(), 99.5);
  EXPECT_EQ(known.newest_item_time().seconds(), 1'700'000'000);
  EXPECT_EQ(known.oldest_item_time().seconds(), 1'600'000'000);
  EXPECT_EQ(known.raw_json(), "");
  EXPECT_EQ(answer.response.datasources(1).status(), "");
  EXPECT_EQ(answer.response.datasources(1).raw_json(), kUnknown);
  ExpectOnlyRequest(igptd, "datasources/list/", "application/json", R"({"user":"ada"})");
}

TEST(IgptdCallsTest, Disconnect) {
  Igptd igptd;
  igptd.upstream.OnNextRequest(Answers("{}"));
  igptd.upstream.OnNextRequest(Answers(R"({"ok": true, "ok": 1e400})"));
  v1::DisconnectRequest request;
  request.set_user("ada");
  request.set_id("spike/1/messages");
  const auto empty = igptd.Disconnect(request, WithRequestId);
  ASSERT_THAT(empty.status, IsOkStatus());
  EXPECT_EQ(empty.response.raw_json(), "");
  ExpectOnlyRequest(igptd, "datasources/disconnect/", "application/json", R"({"user":"ada","id":"spike/1/messages"})");
  const auto full = igptd.Disconnect(request);
  ASSERT_THAT(full.status, IsOkStatus());
  EXPECT_EQ(full.response.raw_json(), R"({"ok": true, "ok": 1e400})");
}

TEST(IgptdCallsTest, Search) {
  Igptd igptd;
  constexpr char kFirst[] = R"({"id":"1","subject":"S","content":"C","from":"ada@example.com","to":"bob@example.com",)"
                            R"("date":"2026-06-11","thread_id":"t"})";
  constexpr char kSecond[] = R"({"score":18446744073709551616,"score":0.1,"id":"2","body":"B","to":["x","y"]})";
  igptd.upstream.OnNextRequest(Answers(std::string("[") + kFirst + "," + kSecond + "]"));
  v1::SearchRequest request;
  request.set_user("ada");
  request.set_query("bud\nget");
  request.set_date_from("2026-01-31");
  request.set_date_to("2026-02-28");
  request.set_max_results(50);
  request.set_filter_people("Bob");
  const auto answer = igptd.Search(request, WithRequestId);
  ASSERT_THAT(answer.status, IsOkStatus());
  EXPECT_EQ(answer.response.raw_json(), "");
  ASSERT_THAT(answer.response.results(), SizeIs(2));
  EXPECT_EQ(answer.response.results(0).content(), "C");
  EXPECT_THAT(answer.response.results(0).recipients(), ElementsAre("bob@example.com"));
  EXPECT_EQ(answer.response.results(0).raw_json(), "");
  EXPECT_EQ(answer.response.results(1).content(), "B");
  EXPECT_THAT(answer.response.results(1).recipients(), ElementsAre("x", "y"));
  EXPECT_EQ(answer.response.results(1).raw_json(), kSecond);
  ExpectOnlyRequest(igptd, "recall/search/", "application/json",
                    R"({"user":"ada","query":"bud\nget","date_from":"2026-01-31","date_to":"2026-02-28",)"
                    R"("max_results":50,"filter_people":"Bob"})");
}

TEST(IgptdCallsTest, NothingFoundIsAnEmptyList) {
  Igptd igptd;
  v1::SearchRequest request;
  request.set_user("ada");
  for (const char* body : {"null", "[]", R"({"results":[]})", R"({"results":null})"}) {
    igptd.upstream.OnNextRequest(Answers(body));
    const auto answer = igptd.Search(request);
    EXPECT_THAT(answer.status, IsOkStatus()) << body;
    EXPECT_THAT(answer.response.results(), IsEmpty()) << body;
  }
}

TEST(IgptdCallsTest, IncludeRawFillsIt) {
  Igptd igptd;
  const std::string list = R"({"datasources": [{"id": "a"}]})";
  igptd.upstream.OnNextRequest(Answers(list));
  v1::ListRequest request;
  request.set_user("ada");
  request.set_include_raw(true);
  const auto answer = igptd.List(request);
  ASSERT_THAT(answer.status, IsOkStatus());
  EXPECT_EQ(answer.response.raw_json(), list);
  EXPECT_EQ(answer.response.datasources(0).raw_json(), R"({"id": "a"})");

  igptd.upstream.OnNextRequest(Streams(kRunStart, DeltaEvent(1, "Y"), kRunDone));
  v1::AskRequest ask = AskFor("ada", "?");
  ask.set_include_raw(true);
  const Stream stream = igptd.Ask(ask);
  ASSERT_THAT(stream.events, SizeIs(3));
  EXPECT_EQ(stream.events[0].raw_json(), kRunStart);
  EXPECT_EQ(stream.events[1].raw_json(), DeltaEvent(1, "Y"));
  EXPECT_EQ(stream.events[2].raw_json(), kRunDone);
}

TEST(IgptdCallsTest, AskStreamsText) {
  Igptd igptd;
  igptd.upstream.OnNextRequest(Streams(
      R"({"type":"run.start","seq":0,"id":"r1","timestamp":1700000000123,"context":{"quality":"cef-1-high",)"
      R"("reasoning_effort":"low","indexed":2,"datasources":[{"id":"a/b/c"}]},"output_format":"text"})",
      R"({"type":"run.turn.start","seq":1,"turn":1})", DeltaEvent(2, "Ye"), DeltaEvent(3, "s."),
      R"({"type":"run.done","seq":4,"id":"r1","timestampStart":1700000000123,"timestamp":1700000001123,)"
      R"("duration":1000,"output":"Yes.","usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3},)"
      R"("metadata":{"sources":[{"id":"s","type":"message","timestamp":1700000000,"provider":"P","title":"T"}]}})"));
  v1::AskRequest request = AskFor("ada", "Is it so?\r\n\"Really\"?");
  request.set_quality("cef-1-high");
  const Stream stream = igptd.Ask(request, WithRequestId);
  ASSERT_THAT(stream.status, IsOkStatus());
  ASSERT_THAT(stream.events, SizeIs(5));
  const v1::RunStarted& started = stream.events[0].started();
  EXPECT_EQ(started.id(), "r1");
  EXPECT_EQ(started.start_time().nanos(), 123'000'000);
  EXPECT_EQ(started.quality(), "cef-1-high");
  EXPECT_EQ(started.indexed(), 2);
  EXPECT_EQ(started.datasources(0).id(), "a/b/c");
  EXPECT_EQ(started.output_format_json(), R"("text")");
  EXPECT_EQ(stream.events[1].turn().number(), 1);
  EXPECT_EQ(stream.events[1].turn().stage(), v1::STAGE_STARTED);
  EXPECT_EQ(stream.events[2].delta() + stream.events[3].delta(), "Yes.");
  const v1::RunCompleted& completed = stream.events[4].completed();
  EXPECT_EQ(completed.text(), "Yes.");
  EXPECT_EQ(completed.usage().total_tokens(), 3);
  EXPECT_EQ(completed.duration().seconds(), 1);
  EXPECT_EQ(completed.sources(0).title(), "T");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(stream.events[static_cast<size_t>(i)].seq(), i);
    EXPECT_EQ(stream.events[static_cast<size_t>(i)].raw_json(), "");
  }
  ExpectOnlyRequest(igptd, "recall/ask/", "text/event-stream",
                    R"({"input":"Is it so?\r\n\"Really\"?","user":"ada","stream":true,"quality":"cef-1-high"})");
}

TEST(IgptdCallsTest, RunSendsWhatAskDoesAndMore) {
  Igptd igptd;
  igptd.upstream.OnNextRequest(Streams(kRunStart, DeltaEvent(1, "Yes."), kRunDone));
  v1::RunRequest request = QuestionFor<v1::RunRequest>("ada", "Is it so?");
  request.set_quality("cef-4-high");
  request.set_reasoning_effort("an-effort-of-tomorrow");
  request.set_instructions("In French,\nin \"one\" paragraph.");
  request.mutable_output_format()->mutable_text();
  const Stream stream = igptd.Run(request, WithRequestId);
  ASSERT_THAT(stream.status, IsOkStatus());
  ASSERT_THAT(stream.events, SizeIs(3));
  EXPECT_EQ(stream.events[0].started().id(), "r1");
  EXPECT_EQ(stream.events[1].delta(), "Yes.");
  EXPECT_EQ(stream.events[2].completed().text(), "Yes.");
  ExpectOnlyRequest(igptd, "recall/run/", "text/event-stream",
                    R"({"input":"Is it so?","user":"ada","stream":true,"quality":"cef-4-high",)"
                    R"("reasoning_effort":"an-effort-of-tomorrow",)"
                    R"("instructions":"In French,\nin \"one\" paragraph."})");
  igptd.Stop();
  EXPECT_EQ(igptd.CallLines()[0]["method"], "igpt.v1.RecallService/Run");
}

TEST(IgptdCallsTest, RunCanHaveAWholeAnswer) {
  Igptd igptd;
  igptd.upstream.OnNextRequest(Answers(R"({"output":"Yes."})"));
  v1::RunRequest request = QuestionFor<v1::RunRequest>("ada", "Is it so?");
  request.set_whole_answer(true);
  const Stream stream = igptd.Run(request, WithRequestId);
  ASSERT_THAT(stream.status, IsOkStatus());
  ASSERT_THAT(stream.events, SizeIs(1));
  EXPECT_EQ(stream.events[0].completed().text(), "Yes.");
  ExpectOnlyRequest(igptd, "recall/run/", "application/json", R"({"input":"Is it so?","user":"ada","stream":false})");
}

TEST(IgptdCallsTest, ANumberThatDoesNotFitStaysInRawJson) {
  Igptd igptd;
  const std::string start = R"({"type":"run.start","seq":2147483648,"id":"r1","context":{"indexed":3000000000}})";
  const std::string done =
      R"({"type":"run.done","seq":2147483647,"output":"Yes.","usage":{"input_tokens":9007199254740993,"output_tokens":2}})";
  igptd.upstream.OnNextRequest(Streams(start, R"({"type":"run.turn.start","turn":-2147483649})", done));
  const Stream stream = igptd.Run(QuestionFor<v1::RunRequest>("ada", "?"));
  ASSERT_THAT(stream.status, IsOkStatus());
  ASSERT_THAT(stream.events, SizeIs(3));
  EXPECT_FALSE(stream.events[0].has_seq());
  EXPECT_FALSE(stream.events[0].started().has_indexed());
  EXPECT_EQ(stream.events[0].raw_json(), start);
  EXPECT_EQ(stream.events[1].event_case(), v1::RunEvent::EVENT_NOT_SET);
  EXPECT_EQ(stream.events[2].seq(), 2147483647);
  EXPECT_EQ(stream.events[2].completed().usage().input_tokens(), 0);
  EXPECT_EQ(stream.events[2].completed().usage().output_tokens(), 2);
  EXPECT_EQ(stream.events[2].raw_json(), done);
}

TEST(IgptdCallsTest, ReasoningToolsAndItemsAreTyped) {
  Igptd igptd;
  igptd.upstream.OnNextRequest(Streams(
      kRunStart, R"({"type":"run.reasoning_item.start","item":{"type":"reasoning"}})",
      R"({"type":"run.reasoning_summary_part.done","text":"Part"})",
      R"({"type":"run.reasoning_item.done","item":{"type":"reasoning","content":[],)"
      R"("summary":[{"type":"summary_text","text":"Whole"}]}})",
      R"({"type":"run.tool_call_item","item":{"type":"function_call","name":"find","arguments":"{\"q\": 1","callId":"c"}})",
      R"({"type":"run.tool_call_output_item","item":{"type":"function_call_result","name":"find","callId":"c",)"
      R"("metadata":{"sources":[{"id":"s"}]}}})",
      R"({"type":"run.output_item.done","item":{"type":"message","role":"assistant",)"
      R"("content":[{"type":"output_text","text":"Yes."}]}})",
      R"({"type":"run.new_thing","of":[9007199254740993,"\udead"],"of":2})", kRunDone));
  const Stream stream = igptd.Ask(AskFor("ada", "?"));
  ASSERT_THAT(stream.status, IsOkStatus());
  ASSERT_THAT(stream.events, SizeIs(9));
  EXPECT_EQ(stream.events[1].reasoning().stage(), v1::STAGE_STARTED);
  EXPECT_EQ(stream.events[2].reasoning().stage(), v1::STAGE_PART_DONE);
  EXPECT_EQ(stream.events[3].reasoning().stage(), v1::STAGE_DONE);
  EXPECT_EQ(stream.events[6].output_item().stage(), v1::STAGE_DONE);
  EXPECT_THAT(stream.events[2].reasoning().summary(), ElementsAre("Part"));
  EXPECT_THAT(stream.events[3].reasoning().summary(), ElementsAre("Whole"));
  EXPECT_EQ(stream.events[4].tool_call().arguments_json(), R"({"q": 1)");
  EXPECT_EQ(stream.events[5].tool_output().sources(0).id(), "s");
  EXPECT_THAT(stream.events[6].output_item().text(), ElementsAre("Yes."));
  EXPECT_EQ(stream.events[7].event_case(), v1::RunEvent::EVENT_NOT_SET);
  EXPECT_EQ(stream.events[7].type(), "run.new_thing");
  EXPECT_EQ(stream.events[7].raw_json(), R"({"type":"run.new_thing","of":[9007199254740993,"\udead"],"of":2})");
  for (size_t i : {1, 2, 3, 4, 5, 6}) EXPECT_EQ(stream.events[i].raw_json(), "") << i;
}

TEST(IgptdCallsTest, JsonIsPassedOnAsWritten) {
  Igptd igptd;
  constexpr char kSchema[] = "{ \"z\" : 1, \"a\":9007199254740993,\"a\":\"\\ud800\",\n\"type\":\"object\"}";
  constexpr char kJson[] = R"({"z":9007199254740993, "a":"\ud800","a":1e400})";
  igptd.upstream.OnNextRequest(Streams(std::string(R"({"type":"run.done","output":)") + kJson + "}"));
  igptd.upstream.OnNextRequest(Streams(R"({"type":"run.done","output":"{\"b\": 1.0}"})"));
  igptd.upstream.OnNextRequest(Answers(std::string(R"({"output":)") + kJson + "}"));
  igptd.upstream.OnNextRequest(Answers(kJson));  // the bare object is the output
  v1::AskRequest request = AskFor("ada", "?");
  request.mutable_output_format()->mutable_json_schema()->set_schema(kSchema);
  request.mutable_output_format()->mutable_json_schema()->set_strict(true);
  request.mutable_output_format()->mutable_json_schema()->set_name("n");
  for (const char* expected : {kJson, R"({"b": 1.0})"}) {
    const Stream stream = igptd.Ask(request);
    ASSERT_THAT(stream.status, IsOkStatus());
    ASSERT_THAT(stream.events, SizeIs(1));
    EXPECT_EQ(stream.events[0].completed().json(), expected);
    EXPECT_EQ(stream.events[0].raw_json(), "");
  }
  EXPECT_EQ(igptd.upstream.requests()[0].body,
            std::string(R"({"input":"?","user":"ada","stream":true,"output_format":)"
                        R"({"type":"json_schema","name":"n","strict":true,"schema":)") +
                kSchema + "}}");

  request.set_whole_answer(true);
  request.mutable_output_format()->mutable_json();
  for (int i = 0; i < 2; ++i) {
    const Stream stream = igptd.Ask(request, WithRequestId);
    ASSERT_THAT(stream.status, IsOkStatus());
    ASSERT_THAT(stream.events, SizeIs(1));
    EXPECT_EQ(stream.events[0].completed().json(), kJson);
    const HttpRequest sent = igptd.upstream.requests().back();
    EXPECT_EQ(sent.body, R"({"input":"?","user":"ada","stream":false,"output_format":"json"})");
    EXPECT_EQ(sent.head, HeadOf(igptd, "recall/ask/", "application/json", sent));
  }
}

TEST(IgptdCallsTest, TheWholeAnswerKeepsWhatHasNoField) {
  Igptd igptd;
  constexpr char kAnswer[] = R"({"output":"Yes.","citations":[9007199254740993],"usage":{"total_tokens":3}})";
  igptd.upstream.OnNextRequest(Answers(kAnswer));
  v1::AskRequest request = AskFor("ada", "?");
  request.set_whole_answer(true);
  const Stream stream = igptd.Ask(request);
  ASSERT_THAT(stream.status, IsOkStatus());
  ASSERT_THAT(stream.events, SizeIs(1));
  EXPECT_EQ(stream.events[0].completed().text(), "Yes.");
  EXPECT_EQ(stream.events[0].completed().usage().total_tokens(), 3);
  EXPECT_EQ(stream.events[0].raw_json(), kAnswer);
}

TEST(IgptdCallsTest, TheDefaultUserIsForRequestsWithoutOne) {
  Igptd igptd({"--default_user=dora"});
  igptd.upstream.OnRequest(Answers(R"({"datasources":[]})"));
  v1::ListRequest request;
  request.set_include_raw(true);
  EXPECT_THAT(igptd.List(request).status, IsOkStatus());
  request.set_user("ada");
  EXPECT_THAT(igptd.List(request).status, IsOkStatus());
  EXPECT_EQ(igptd.upstream.requests()[0].body, R"({"user":"dora"})");
  EXPECT_EQ(igptd.upstream.requests()[1].body, R"({"user":"ada"})");
}

}  // namespace
}  // namespace igpt::testing
