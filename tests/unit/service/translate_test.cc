#include "service/api/translate.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <limits>

#include "absl/strings/str_cat.h"

namespace igptd {
namespace {

namespace v1 = igpt::v1;

using ::google::protobuf::TextFormat;

// A message with exactly these fields: all others must be absent.
MATCHER_P(Says, text, "") {
  std::remove_cv_t<std::remove_reference_t<arg_type>> expected;
  if (!TextFormat::ParseFromString(text, &expected)) {
    *result_listener << "the expectation is no " << expected.GetTypeName();
    return false;
  }
  *result_listener << "which is " << arg.DebugString();
  return google::protobuf::util::MessageDifferencer::Equals(arg, expected);
}

template <typename Proto>
Proto Read(const char* text) {
  Proto proto;
  EXPECT_TRUE(TextFormat::ParseFromString(text, &proto)) << text;
  return proto;
}

// Translates into a message that already holds something.
template <typename Response, typename Struct>
Response Translate(Struct value) {
  Response response;
  response.set_raw_json("left over");
  ToProto(std::move(value), &response);
  return response;
}
v1::RunEvent Event(igpt::RunEvent event) {
  v1::RunEvent response;
  response.set_seq(99);
  response.set_type("left over");
  response.set_raw_json("left over");
  response.mutable_tool_call()->set_name("left over");
  ToProto(std::move(event), &response);
  return response;
}

igpt::Source ASource(std::string id) {
  return {.id = std::move(id),
          .type = "message",
          .item_time = absl::FromUnixSeconds(1700000000),
          .provider = "Ada",
          .picture = "https://example.com/ada.png",
          .title = "Lunch"};
}
constexpr char kSource1[] =
    "{id: '1' type: 'message' item_time {seconds: 1700000000} provider: 'Ada' "
    "picture: 'https://example.com/ada.png' title: 'Lunch'}";

igpt::Datasource ADatasource() {
  return {.id = "spike/1/messages",
          .service = "spike",
          .type = "spike/messages",
          .status = "enabled",
          .title = "Mail",
          .subtitle = "ada@example.com",
          .progress = 0.5,
          .newest_item_time = absl::FromUnixSeconds(1700000000),
          .oldest_item_time = absl::FromUnixSeconds(-1),
          .raw_json = "{\"new\":1}"};
}
constexpr char kDatasource[] =
    "{id: 'spike/1/messages' service: 'spike' type: 'spike/messages' status: 'enabled' title: 'Mail' "
    "subtitle: 'ada@example.com' progress: 0.5 newest_item_time {seconds: 1700000000} oldest_item_time {seconds: -1} "
    "raw_json: '{\"new\":1}'}";

TEST(FromProtoTest, Ask) {
  igpt::AskRequest request = FromProto(Read<v1::AskRequest>(
      "user: 'u' input: 'i' quality: 'q' output_format {text {}} whole_answer: true include_raw: true"));
  EXPECT_EQ(request.user, "u");
  EXPECT_EQ(request.input, "i");
  EXPECT_EQ(request.quality, "q");
  EXPECT_EQ(request.output_format.kind, igpt::OutputFormat::Kind::kText);
  EXPECT_TRUE(request.include_raw);
}

TEST(FromProtoTest, AskOfNothing) {
  igpt::AskRequest request = FromProto(v1::AskRequest());
  EXPECT_EQ(request.user, "");
  EXPECT_EQ(request.input, "");
  EXPECT_EQ(request.quality, "");
  EXPECT_EQ(request.output_format.kind, igpt::OutputFormat::Kind::kText);
  EXPECT_FALSE(request.include_raw);
}

TEST(FromProtoTest, AskTellsItsBooleansApart) {
  EXPECT_FALSE(FromProto(Read<v1::AskRequest>("whole_answer: true")).include_raw);
}

TEST(FromProtoTest, Run) {
  igpt::RunRequest request =
      FromProto(Read<v1::RunRequest>("user: 'u' input: 'i' quality: 'q' output_format {json {}} whole_answer: true "
                                     "include_raw: true reasoning_effort: 'r' instructions: 's'"));
  EXPECT_EQ(request.user, "u");
  EXPECT_EQ(request.input, "i");
  EXPECT_EQ(request.quality, "q");
  EXPECT_EQ(request.output_format.kind, igpt::OutputFormat::Kind::kJson);
  EXPECT_EQ(request.reasoning_effort, "r");
  EXPECT_EQ(request.instructions, "s");
  EXPECT_TRUE(request.include_raw);
  EXPECT_FALSE(FromProto(Read<v1::RunRequest>("whole_answer: true")).include_raw);
}

TEST(StageTest, EachHasItsOwn) {
  const std::pair<igpt::Stage, v1::Stage> kCases[] = {{igpt::Stage::kUnspecified, v1::STAGE_UNSPECIFIED},
                                                      {igpt::Stage::kStarted, v1::STAGE_STARTED},
                                                      {igpt::Stage::kDone, v1::STAGE_DONE},
                                                      {igpt::Stage::kPartStarted, v1::STAGE_PART_STARTED},
                                                      {igpt::Stage::kPartDone, v1::STAGE_PART_DONE}};
  for (const auto& [stage, proto] : kCases) EXPECT_EQ(ToProto(stage), proto);
}

TEST(FromProtoTest, OutputFormats) {
  using Kind = igpt::OutputFormat::Kind;
  EXPECT_EQ(FromProto(Read<v1::AskRequest>("output_format {}")).output_format.kind, Kind::kText);
  EXPECT_EQ(FromProto(Read<v1::AskRequest>("output_format {json {}}")).output_format.kind, Kind::kJson);

  igpt::OutputFormat schema =
      FromProto(
          Read<v1::AskRequest>("output_format {json_schema {schema: '{ \"b\":1,\"a\":2}' strict: true name: 'n'}}"))
          .output_format;
  EXPECT_EQ(schema.kind, Kind::kJsonSchema);
  EXPECT_EQ(schema.schema, "{ \"b\":1,\"a\":2}");
  EXPECT_TRUE(schema.strict);
  EXPECT_EQ(schema.name, "n");
}

TEST(FromProtoTest, Search) {
  igpt::SearchRequest request = FromProto(
      Read<v1::SearchRequest>("user: 'u' query: 'q' date_from: '2024-01-01' date_to: '2024-02-01' max_results: -7 "
                              "filter_people: 'p' include_raw: true"));
  EXPECT_EQ(request.user, "u");
  EXPECT_EQ(request.query, "q");
  EXPECT_EQ(request.date_from, "2024-01-01");
  EXPECT_EQ(request.date_to, "2024-02-01");
  EXPECT_EQ(request.max_results, -7);
  EXPECT_EQ(request.filter_people, "p");
  EXPECT_TRUE(request.include_raw);
  EXPECT_FALSE(FromProto(v1::SearchRequest()).include_raw);
}

TEST(FromProtoTest, List) {
  igpt::ListRequest request = FromProto(Read<v1::ListRequest>("user: 'u' include_raw: true"));
  EXPECT_EQ(request.user, "u");
  EXPECT_TRUE(request.include_raw);
  EXPECT_FALSE(FromProto(v1::ListRequest()).include_raw);
}

TEST(FromProtoTest, Disconnect) {
  igpt::DisconnectRequest request = FromProto(Read<v1::DisconnectRequest>("user: 'u' id: 'a/b/c' include_raw: true"));
  EXPECT_EQ(request.user, "u");
  EXPECT_EQ(request.id, "a/b/c");
  EXPECT_TRUE(request.include_raw);
  EXPECT_FALSE(FromProto(v1::DisconnectRequest()).include_raw);
}

TEST(FromProtoTest, Authorize) {
  igpt::AuthorizeRequest request = FromProto(Read<v1::AuthorizeRequest>(
      "user: 'u' service: 's' scope: 'a b' redirect_uri: 'https://example.com' state: 'st' include_raw: true"));
  EXPECT_EQ(request.user, "u");
  EXPECT_EQ(request.service, "s");
  EXPECT_EQ(request.scope, "a b");
  EXPECT_EQ(request.redirect_uri, "https://example.com");
  EXPECT_EQ(request.state, "st");
  EXPECT_TRUE(request.include_raw);
  EXPECT_FALSE(FromProto(v1::AuthorizeRequest()).include_raw);
}

TEST(EventTest, Empty) {
  EXPECT_THAT(Event({}), Says("type: ''"));
}

TEST(EventTest, Envelope) {
  EXPECT_THAT(Event({.seq = 0, .type = "run.new_thing", .payload = {}, .raw_json = "{\"type\":\"run.new_thing\"}"}),
              Says("seq: 0 type: 'run.new_thing' raw_json: '{\"type\":\"run.new_thing\"}'"));
}

TEST(EventTest, Delta) {
  EXPECT_THAT(Event({.seq = 3, .type = "run.output_text.delta", .payload = igpt::Delta{"Hé"}, .raw_json = ""}),
              Says("seq: 3 type: 'run.output_text.delta' delta: 'H\\303\\251'"));
  EXPECT_THAT(Event({.seq = {}, .type = "", .payload = igpt::Delta{}, .raw_json = ""}), Says("delta: ''"));
}

TEST(EventTest, ADeltaIsNotCopied) {
  igpt::RunEvent event;
  event.payload = igpt::Delta{std::string(100, 'x')};
  const char* text = event.payload.As<igpt::Delta>()->text.data();
  v1::RunEvent response;
  ToProto(std::move(event), &response);
  EXPECT_EQ(response.delta().data(), text);
}

TEST(EventTest, Started) {
  igpt::RunStarted started = {.id = "run1",
                              .start_time = absl::FromUnixMillis(1700000000250),
                              .quality = "cef-1-high",
                              .reasoning_effort = "low",
                              .indexed = 0,
                              .datasources = {ADatasource(), {}},
                              .output_format_json = "\"text\""};
  EXPECT_THAT(Event({.seq = 1, .type = "run.start", .payload = std::move(started), .raw_json = ""}),
              Says(absl::StrCat("seq: 1 type: 'run.start' started {id: 'run1' "
                                "start_time {seconds: 1700000000 nanos: 250000000} quality: 'cef-1-high' "
                                "reasoning_effort: 'low' indexed: 0 datasources ",
                                kDatasource, " datasources {} output_format_json: '\"text\"'}")));
  EXPECT_THAT(Event({.seq = {}, .type = "", .payload = igpt::RunStarted{}, .raw_json = ""}), Says("started {}"));
}

TEST(EventTest, Completed) {
  igpt::Answer answer = {.id = "run1",
                         .output = igpt::Text{"Yes."},
                         .usage = igpt::Usage{1, 2, 3},
                         .sources = {ASource("1"), {}},
                         .start_time = absl::FromUnixSeconds(10),
                         .end_time = absl::FromUnixSeconds(12),
                         .duration = absl::Milliseconds(2500),
                         .raw_json = ""};
  EXPECT_THAT(Event({.seq = 9, .type = "run.done", .payload = std::move(answer), .raw_json = "{}"}),
              Says(absl::StrCat("seq: 9 type: 'run.done' raw_json: '{}' completed {id: 'run1' text: 'Yes.' "
                                "usage {input_tokens: 1 output_tokens: 2 total_tokens: 3} sources ",
                                kSource1,
                                " sources {} start_time {seconds: 10} end_time {seconds: 12} "
                                "duration {seconds: 2 nanos: 500000000}}")));
  EXPECT_THAT(Event({.seq = {}, .type = "", .payload = igpt::Answer{}, .raw_json = ""}), Says("completed {}"));
}

TEST(EventTest, Turn) {
  EXPECT_THAT(
      Event({.seq = {}, .type = "run.turn.start", .payload = igpt::Turn{2, igpt::Stage::kStarted}, .raw_json = ""}),
      Says("type: 'run.turn.start' turn {number: 2 stage: STAGE_STARTED}"));
}

TEST(EventTest, Reasoning) {
  EXPECT_THAT(
      Event({.seq = {}, .type = "", .payload = igpt::Reasoning{{"a", "b"}, igpt::Stage::kPartDone}, .raw_json = ""}),
      Says("reasoning {summary: 'a' summary: 'b' stage: STAGE_PART_DONE}"));
  EXPECT_THAT(Event({.seq = {}, .type = "", .payload = igpt::Reasoning{}, .raw_json = ""}), Says("reasoning {}"));
}

TEST(EventTest, ToolCall) {
  EXPECT_THAT(Event({.seq = {}, .type = "", .payload = igpt::ToolCall{"search", "{\"q\":", "c1"}, .raw_json = ""}),
              Says("tool_call {name: 'search' arguments_json: '{\"q\":' call_id: 'c1'}"));
}

TEST(EventTest, ToolOutput) {
  igpt::ToolOutput output = {.name = "search", .call_id = "c1", .sources = {ASource("1")}};
  EXPECT_THAT(Event({.seq = {}, .type = "", .payload = std::move(output), .raw_json = ""}),
              Says(absl::StrCat("tool_output {name: 'search' call_id: 'c1' sources ", kSource1, "}")));
}

TEST(EventTest, OutputItem) {
  EXPECT_THAT(Event({.seq = {},
                     .type = "",
                     .payload = igpt::OutputItem{"assistant", {"a", "b"}, igpt::Stage::kDone},
                     .raw_json = ""}),
              Says("output_item {role: 'assistant' text: 'a' text: 'b' stage: STAGE_DONE}"));
}

TEST(AnswerTest, WholeAnswer) {
  igpt::Answer answer;
  answer.id = "run1";
  answer.output = igpt::Json{"{\"b\":1,\"a\":1e400,\"b\":2}"};
  answer.raw_json = "{\"output\":{}}";
  EXPECT_THAT(Event({.seq = 1, .type = "run.done", .payload = answer, .raw_json = ""}),
              Says("seq: 1 type: 'run.done' completed {id: 'run1' json: '{\"b\":1,\"a\":1e400,\"b\":2}'}"));
  // As the only event of a stream that iGPT answered with a whole answer.
  EXPECT_THAT(Event({.seq = {}, .type = "", .payload = answer, .raw_json = answer.raw_json}),
              Says("completed {id: 'run1' json: '{\"b\":1,\"a\":1e400,\"b\":2}'} raw_json: '{\"output\":{}}'"));
}

TEST(AnswerTest, EmptyOutputIsNotNoOutput) {
  igpt::Answer answer;
  answer.output = igpt::Text{};
  EXPECT_THAT(Event({.seq = {}, .type = "", .payload = answer, .raw_json = ""}), Says("completed {text: ''}"));
  answer.output = igpt::Json{};
  EXPECT_THAT(Event({.seq = {}, .type = "", .payload = answer, .raw_json = ""}), Says("completed {json: ''}"));
}

TEST(AnswerTest, Search) {
  igpt::SearchResult result = {.id = "1",
                               .subject = "Lunch",
                               .content = "At noon?",
                               .sender = "ada@example.com",
                               .recipients = {"bob@example.com", "cy@example.com"},
                               .date = "yesterday",
                               .thread_id = "t1",
                               .raw_json = "{\"id\":1}"};
  EXPECT_THAT(Translate<v1::SearchResponse>(igpt::SearchAnswer{{result, {}}, "{}"}),
              Says("results {id: '1' subject: 'Lunch' content: 'At noon?' sender: 'ada@example.com' "
                   "recipients: 'bob@example.com' recipients: 'cy@example.com' date: 'yesterday' thread_id: 't1' "
                   "raw_json: '{\"id\":1}'} results {} raw_json: '{}'"));
  EXPECT_THAT(Translate<v1::SearchResponse>(igpt::SearchAnswer()), Says(""));
}

TEST(AnswerTest, List) {
  EXPECT_THAT(Translate<v1::ListResponse>(igpt::ListAnswer{{ADatasource(), {}}, "{}"}),
              Says(absl::StrCat("datasources ", kDatasource, " datasources {} raw_json: '{}'")));
  EXPECT_THAT(Translate<v1::ListResponse>(igpt::ListAnswer()), Says(""));
}

TEST(AnswerTest, ProgressOfZeroIsSaid) {
  igpt::Datasource datasource;
  datasource.progress = 0;
  EXPECT_THAT(Translate<v1::ListResponse>(igpt::ListAnswer{{datasource}, ""}), Says("datasources {progress: 0}"));
}

TEST(AnswerTest, Disconnect) {
  EXPECT_THAT(Translate<v1::DisconnectResponse>(igpt::DisconnectAnswer{"{\"ok\":true}"}),
              Says("raw_json: '{\"ok\":true}'"));
  EXPECT_THAT(Translate<v1::DisconnectResponse>(igpt::DisconnectAnswer()), Says(""));
}

TEST(AnswerTest, Authorize) {
  EXPECT_THAT(Translate<v1::AuthorizeResponse>(igpt::AuthorizeAnswer{"https://example.com", "{}"}),
              Says("url: 'https://example.com' raw_json: '{}'"));
}

TEST(TimeTest, Timestamps) {
  struct {
    absl::Time time;
    const char* says;
  } const kCases[] = {
      {absl::UnixEpoch(), ""},
      {absl::FromUnixMillis(1500), "seconds: 1 nanos: 500000000"},
      {absl::FromUnixMillis(-1), "seconds: -1 nanos: 999000000"},  // nanos count forward, always
      {absl::FromUnixNanos(1), "nanos: 1"},
      {absl::UnixEpoch() + absl::Nanoseconds(1.75), "nanos: 1"},
      {absl::FromUnixSeconds(-62135596800), "seconds: -62135596800"},
      {absl::FromUnixSeconds(-62135596800) - absl::Nanoseconds(1), "seconds: -62135596800"},
      {absl::FromUnixSeconds(253402300799) + absl::Nanoseconds(5), "seconds: 253402300799 nanos: 5"},
      {absl::FromUnixSeconds(253402300800), "seconds: 253402300799 nanos: 999999999"},
      {absl::FromUnixSeconds(std::numeric_limits<int64_t>::max()), "seconds: 253402300799 nanos: 999999999"},
      {absl::InfiniteFuture(), "seconds: 253402300799 nanos: 999999999"},
      {absl::InfinitePast(), "seconds: -62135596800"},
  };
  for (const auto& c : kCases) EXPECT_THAT(ToProto(c.time), Says(c.says)) << c.time;
}

TEST(TimeTest, Durations) {
  struct {
    absl::Duration duration;
    const char* says;
  } const kCases[] = {
      {absl::ZeroDuration(), ""},
      {absl::Milliseconds(2500), "seconds: 2 nanos: 500000000"},
      {absl::Milliseconds(-2500), "seconds: -2 nanos: -500000000"},  // both parts have one sign
      {absl::Nanoseconds(-1), "nanos: -1"},
      {absl::Nanoseconds(1.75), "nanos: 1"},
      {absl::Seconds(315576000000), "seconds: 315576000000"},
      {absl::Seconds(315576000000) + absl::Nanoseconds(1), "seconds: 315576000000"},
      {absl::InfiniteDuration(), "seconds: 315576000000"},
      {-absl::InfiniteDuration(), "seconds: -315576000000"},
  };
  for (const auto& c : kCases) EXPECT_THAT(ToProto(c.duration), Says(c.says)) << c.duration;
}

}  // namespace
}  // namespace igptd
