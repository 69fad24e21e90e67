// Whole answers: DecodeAnswer, DecodeSearch, DecodeList, DecodeDisconnect, DecodeAuthorize; and CheckJsonObject.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "igpt/error.h"
#include "igpt/internal/json/codec.h"
#include "igpt/internal/json/status.h"
#include "igpt/options.h"

namespace igpt::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;

bool IsProtocolError(const absl::Status& status) {
  const std::optional<Error> error = ErrorOf(status);
  return error && error->kind == ErrorKind::kProtocol;
}

// "text=…", "json=…", or "none".
std::string Describe(const Output& output) {
  if (const Text* text = std::get_if<Text>(&output)) return "text=" + text->text;
  if (const Json* json = std::get_if<Json>(&output)) return "json=" + json->json;
  return "none";
}

TEST(DecodeAnswer, HoldsWhatIsDocumented) {
  const absl::StatusOr<Answer> answer = DecodeAnswer(
      R"({"id":"run_1","timestampStart":1767225600123,"timestamp":1767225601456,"duration":1333,"output":"Hello",)"
      R"("usage":{"input_tokens":10,"output_tokens":2,"total_tokens":12},"metadata":{"sources":[{"id":"m1",)"
      R"("type":"message","timestamp":1767225600,"provider":"Emma","picture":"https://example.com/e.png",)"
      R"("title":"Notes"},{"id":"m2"}]}})",
      {});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->id, "run_1");
  EXPECT_THAT(answer->start_time, Optional(absl::FromUnixMillis(1767225600123)));
  EXPECT_THAT(answer->end_time, Optional(absl::FromUnixMillis(1767225601456)));
  EXPECT_THAT(answer->duration, Optional(absl::Milliseconds(1333)));
  EXPECT_EQ(Describe(answer->output), "text=Hello");
  ASSERT_TRUE(answer->usage);
  EXPECT_EQ(answer->usage->input_tokens, 10);
  EXPECT_EQ(answer->usage->output_tokens, 2);
  EXPECT_EQ(answer->usage->total_tokens, 12);
  ASSERT_THAT(answer->sources, SizeIs(2));
  EXPECT_EQ(answer->sources[0].id, "m1");
  EXPECT_EQ(answer->sources[0].type, "message");
  EXPECT_THAT(answer->sources[0].item_time, Optional(absl::FromUnixSeconds(1767225600)));
  EXPECT_EQ(answer->sources[0].provider, "Emma");
  EXPECT_EQ(answer->sources[0].picture, "https://example.com/e.png");
  EXPECT_EQ(answer->sources[0].title, "Notes");
  EXPECT_EQ(answer->sources[1].id, "m2");
  EXPECT_EQ(answer->raw_json, "");
}

TEST(DecodeAnswer, FindsTheOutput) {
  struct Case {
    std::string body;
    std::string text_wanted;
    std::string json_wanted;  // empty: an error
    bool raw = false;         // the body is in raw_json
  };
  const Case cases[] = {
      {R"({"output":"hi"})", "text=hi", ""},
      {R"({"output":"{\"a\": 1}"})", R"(text={"a": 1})", R"(json={"a": 1})"},
      {R"({"output":"\"x\""})", "text=\"x\"", "json=\"x\""},
      {R"({"output":{"b":1,"a":1e400,"b":2}})", R"(json={"b":1,"a":1e400,"b":2})", R"(json={"b":1,"a":1e400,"b":2})"},
      {R"({"output": [1, 2] })", "json=[1, 2]", "json=[1, 2]"},
      {R"({"output":true})", "json=true", "json=true"},
      {R"({"output":null})", "none", "none"},
      {R"({"output":{},"citations":[]})", "json={}", "json={}", true},
      {R"({"output":{},"type":"run.done"})", "json={}", "json={}", true},
      {R"({"output":{},"seq":1})", "json={}", "json={}", true},
      {R"({"output":{},"usage":5})", "json={}", "json={}", true},
      {R"({"output":{},"citations":null})", "json={}", "json={}", true},
      {R"({"output":{},"usage":null,"type":null})", "json={}", "json={}"},
      {R"({"output":1,"output":2})", "json=2", "json=2", true},
      {R"({"output":"\ud83d"})", "text=\xEF\xBF\xBD", "", true},
      // No output: the answer itself is.
      {"\n {\"a\": {\"output\":1}}\r\n", R"(json={"a": {"output":1}})", R"(json={"a": {"output":1}})"},
      {R"({"id":"x","usage":5,"item":[],"text":"\ud83d"})", R"(json={"id":"x","usage":5,"item":[],"text":"\ud83d"})",
       R"(json={"id":"x","usage":5,"item":[],"text":"\ud83d"})"},
      {"{}", "json={}", "json={}"},
      {" [1, {\"error\":\"auth\"}] ", R"(json=[1, {"error":"auth"}])", R"(json=[1, {"error":"auth"}])"},
      {" 1.0 ", "json=1.0", "json=1.0"},
      {"false", "json=false", "json=false"},
      {"null", "none", "none"},
      {R"("hi")", "text=hi", ""},
      {R"("[1]")", "text=[1]", "json=[1]"},
      {R"("\ud83d")", "text=\xEF\xBF\xBD", "", true},
  };
  for (const Case& c : cases) {
    for (const bool json_wanted : {false, true}) {
      const std::string& expected = json_wanted ? c.json_wanted : c.text_wanted;
      const absl::StatusOr<Answer> answer = DecodeAnswer(c.body, {.json_wanted = json_wanted});
      if (expected.empty()) {
        EXPECT_TRUE(IsProtocolError(answer.status())) << c.body;
        continue;
      }
      ASSERT_TRUE(answer.ok()) << c.body << answer.status();
      EXPECT_EQ(Describe(answer->output), expected) << c.body;
      EXPECT_EQ(answer->raw_json, c.raw ? c.body : "") << c.body;
    }
    const absl::StatusOr<Answer> with_raw = DecodeAnswer(c.body, {.include_raw = true});
    ASSERT_TRUE(with_raw.ok()) << c.body << with_raw.status();
    EXPECT_EQ(Describe(with_raw->output), c.text_wanted) << c.body;
    EXPECT_EQ(with_raw->raw_json, c.body);
  }
}

TEST(DecodeAnswer, TypesNothingElseOfAnAnswerThatIsItselfTheOutput) {
  const absl::StatusOr<Answer> answer =
      DecodeAnswer(R"({"id":"x","timestamp":1,"duration":1,"usage":{},"metadata":{"sources":[{}]}})", {});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->id, "");
  EXPECT_FALSE(answer->end_time || answer->duration || answer->usage);
  EXPECT_THAT(answer->sources, IsEmpty());
}

TEST(DecodeSearch, HoldsWhatIntegrationsRead) {
  const std::string body =
      R"([{"id":"1","subject":"Notes","content":"Hello","from":"emma@example.com","to":["a@example.com","b@example.com"],)"
      R"("date":"2026-01-15","thread_id":"t1"},{"body":"World","to":"c@example.com"},{}])";
  for (const std::string& text : {body, "{\"results\":" + body + "}", " {\"results\" : " + body + " } "}) {
    const absl::StatusOr<SearchAnswer> answer = DecodeSearch(text, false);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->raw_json, "");
    ASSERT_THAT(answer->results, SizeIs(3));
    const SearchResult& first = answer->results[0];
    EXPECT_EQ(first.id, "1");
    EXPECT_EQ(first.subject, "Notes");
    EXPECT_EQ(first.content, "Hello");
    EXPECT_EQ(first.sender, "emma@example.com");
    EXPECT_THAT(first.recipients, ElementsAre("a@example.com", "b@example.com"));
    EXPECT_EQ(first.date, "2026-01-15");
    EXPECT_EQ(first.thread_id, "t1");
    EXPECT_EQ(answer->results[1].content, "World");
    EXPECT_THAT(answer->results[1].recipients, ElementsAre("c@example.com"));
    for (const SearchResult& result : answer->results) EXPECT_EQ(result.raw_json, "");
  }
}

TEST(DecodeSearch, LosesNothingOfAResult) {
  struct Case {
    std::string result;
    std::string content;
    bool raw;
  };
  const Case cases[] = {
      {R"({"content":"a"})", "a", false},
      {R"({"body":"b"})", "b", false},
      {R"({"content":null,"body":"b"})", "b", false},
      {R"({"content":"a","body":null})", "a", false},
      {R"({"content":"a","body":"b"})", "a", true},
      {R"({"body":"b","content":""})", "", true},
      {R"({"content":{"html":"a"},"body":"b"})", "b", true},
      {R"({"content":"a","score":0.5})", "a", true},
      {R"({ "content" : "a" , "id" : 5 })", "a", true},
      {R"({"content":"a","thread_id":5})", "a", true},
      {R"({"content":"a","subject":["x"]})", "a", true},
      {R"({"content":"a","from":{"name":"Emma"}})", "a", true},
      {R"({"content":"a","date":1767225600})", "a", true},
      {R"({"content":"a","to":[]})", "a", false},
      {R"({"content":"a","to":null})", "a", false},
      {R"({"content":"a","to":5})", "a", true},
      {R"({"content":"a","to":["x",5]})", "a", true},
      {R"({"content":"a","content":"b"})", "b", true},
      {R"({"content":"\ud83d"})", "\xEF\xBF\xBD", true},
      {"5", "", true},
      {"null", "", true},
      {R"("text")", "", true},
      {"[ 1 ]", "", true},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<SearchAnswer> answer = DecodeSearch("[{}, " + c.result + " ]", false);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->raw_json, "");
    ASSERT_THAT(answer->results, SizeIs(2));
    EXPECT_EQ(answer->results[0].raw_json, "");
    EXPECT_EQ(answer->results[1].content, c.content) << c.result;
    EXPECT_EQ(answer->results[1].raw_json, c.raw ? c.result : "") << c.result;
  }
}

TEST(DecodeSearch, FindsTheList) {
  struct Case {
    std::string body;
    size_t results;
    bool raw;
  };
  const Case cases[] = {
      {"null", 0, false},
      {"[]", 0, false},
      {" {} ", 0, false},
      {R"({"results":null})", 0, false},
      {R"({"results":[]})", 0, false},
      {R"({"results":[{}],"total":1})", 1, true},
      {R"({"hits":[{}]})", 0, true},
      {R"({"results":{"id":"1"}})", 0, true},
      {R"({"results":"none"})", 0, true},
      {R"({"results":[{}],"results":[{},{}]})", 2, true},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<SearchAnswer> answer = DecodeSearch(c.body, false);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_THAT(answer->results, SizeIs(c.results)) << c.body;
    EXPECT_EQ(answer->raw_json, c.raw ? c.body : "") << c.body;
  }
  for (const std::string body : {"5", "true", R"("none")"}) {
    EXPECT_TRUE(IsProtocolError(DecodeSearch(body, false).status())) << body;
  }
}

TEST(DecodeSearch, FillsRawJsonOnDemand) {
  const std::string body = R"({"results": [ {"id": "1"}, {} ] })";
  const absl::StatusOr<SearchAnswer> answer = DecodeSearch(body, true);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->raw_json, body);
  ASSERT_THAT(answer->results, SizeIs(2));
  EXPECT_EQ(answer->results[0].raw_json, R"({"id": "1"})");
  EXPECT_EQ(answer->results[1].raw_json, "{}");
}

TEST(DecodeList, HoldsWhatIsDocumented) {
  const std::string datasources =
      R"([{"id":"spike/1/messages","service":"spike","type":"spike/messages","status":"enabled","title":"Mail",)"
      R"("subtitle":"ada@example.com","progress":100,"newest":1767225600,"oldest":1735689600}])";
  for (const std::string& body : {datasources, "{\"datasources\":" + datasources + "}"}) {
    const absl::StatusOr<ListAnswer> answer = DecodeList(body, false);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->raw_json, "");
    ASSERT_THAT(answer->datasources, SizeIs(1));
    const Datasource& datasource = answer->datasources[0];
    EXPECT_EQ(datasource.id, "spike/1/messages");
    EXPECT_EQ(datasource.service, "spike");
    EXPECT_EQ(datasource.type, "spike/messages");
    EXPECT_EQ(datasource.status, "enabled");
    EXPECT_EQ(datasource.title, "Mail");
    EXPECT_EQ(datasource.subtitle, "ada@example.com");
    EXPECT_THAT(datasource.progress, Optional(100.0));
    EXPECT_THAT(datasource.newest_item_time, Optional(absl::FromUnixSeconds(1767225600)));
    EXPECT_THAT(datasource.oldest_item_time, Optional(absl::FromUnixSeconds(1735689600)));
    EXPECT_EQ(datasource.raw_json, "");
  }
}

TEST(DecodeList, KeepsWhatADatasourceHasBeside) {
  for (const std::string datasource : {R"({ "id":"1", "error":"x" })", R"({"id":5})", R"({"newest":"yesterday"})",
                                       R"({"progress":"50%"})", "5", "null"}) {
    const std::string body = R"({"datasources":[{}, )" + datasource + " ]}";
    const absl::StatusOr<ListAnswer> answer = DecodeList(body, false);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->raw_json, "");
    ASSERT_THAT(answer->datasources, SizeIs(2));
    EXPECT_EQ(answer->datasources[0].raw_json, "");
    EXPECT_EQ(answer->datasources[1].raw_json, datasource);
  }
  const std::string body = R"({"datasources":[],"next":"x"})";
  const absl::StatusOr<ListAnswer> answer = DecodeList(body, false);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->raw_json, body);
}

TEST(DecodeList, NeedsAList) {
  for (const std::string body :
       {"{}", R"({"datasources":null})", R"({"datasources":{}})", R"({"results":[]})", "null", "5"}) {
    EXPECT_TRUE(IsProtocolError(DecodeList(body, false).status())) << body;
  }
  for (const std::string body : {"[]", R"({"datasources":[]})"}) {
    const absl::StatusOr<ListAnswer> answer = DecodeList(body, false);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_THAT(answer->datasources, IsEmpty());
    EXPECT_EQ(answer->raw_json, "");
  }
}

TEST(DecodeList, FillsRawJsonOnDemand) {
  const absl::StatusOr<ListAnswer> answer = DecodeList(R"([ {"id": "1"} ])", true);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->raw_json, R"([ {"id": "1"} ])");
  ASSERT_THAT(answer->datasources, SizeIs(1));
  EXPECT_EQ(answer->datasources[0].raw_json, R"({"id": "1"})");
}

TEST(DecodeDisconnect, TakesAnyObject) {
  for (const std::string body : {"{}", " {\n} "}) {
    EXPECT_EQ(DecodeDisconnect(body, false)->raw_json, "");
    EXPECT_EQ(DecodeDisconnect(body, true)->raw_json, body);
  }
  for (const std::string body : {R"({"ok":true})", R"({"error":null})", R"({"":null})"}) {
    EXPECT_EQ(DecodeDisconnect(body, false)->raw_json, body);
  }
  for (const std::string body : {"null", "[]", "true", R"("ok")"}) {
    EXPECT_TRUE(IsProtocolError(DecodeDisconnect(body, false).status())) << body;
  }
}

TEST(DecodeAuthorize, NeedsAUrl) {
  const std::string plain = R"({"url":"https:\/\/igpt.example.com\/authorize?x=1"})";
  EXPECT_EQ(DecodeAuthorize(plain, false)->url, "https://igpt.example.com/authorize?x=1");
  EXPECT_EQ(DecodeAuthorize(plain, false)->raw_json, "");
  EXPECT_EQ(DecodeAuthorize(plain, true)->raw_json, plain);
  const std::string more = R"({"url":"u","expires":5})";
  EXPECT_EQ(DecodeAuthorize(more, false)->raw_json, more);
  for (const std::string body : {"{}", R"({"url":""})", R"({"url":null})", R"({"url":5})", R"({"url":["u"]})", "null",
                                 R"("https://igpt.example.com")", R"([{"url":"u"}])"}) {
    EXPECT_TRUE(IsProtocolError(DecodeAuthorize(body, false).status())) << body;
  }
}

TEST(CheckJsonObject, SaysWhatIsWrong) {
  struct Case {
    std::string text;
    std::string_view message;  // empty: nothing
  };
  const auto nested = [](int depth) { return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}"; };
  const Case cases[] = {
      {"{}", ""},
      {R"( {"type":"object","type":1e400,"x":"\ud83d"} )", ""},
      {nested(kMaxJsonDepth - 1), ""},
      {nested(kMaxJsonDepth), "must not nest deeper than 64"},
      {"[]", "must be a JSON object"},
      {"null", "must be a JSON object"},
      {R"("{}")", "must be a JSON object"},
      {R"({"a":1,"b":x})", "must be JSON, but is invalid from byte 11"},
      {"{} {}", "must be JSON, but is invalid from byte 2"},
      {R"({"a":1)", "must be JSON, but is invalid from byte 5"},
      {"[1", "must be JSON, but is invalid from byte 1"},
      {"", "must be JSON"},
      {R"({"a)", "must be JSON"},
      {"{\"a\":\"\xFF\"}", "must be valid UTF-8"},
  };
  for (const Case& c : cases) {
    const absl::Status status = CheckJsonObject(c.text);
    EXPECT_EQ(status.code(), c.message.empty() ? absl::StatusCode::kOk : absl::StatusCode::kInvalidArgument) << c.text;
    EXPECT_EQ(std::string(status.message()), c.message) << c.text;
  }
}

}  // namespace
}  // namespace igpt::internal
