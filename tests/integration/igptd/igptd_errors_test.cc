// The table of errors, row by row, as callers see it, and what no error may contain.
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"
#include "tests/integration/igptd/igptd_fixture.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using grpc::StatusCode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::SizeIs;

using Facts = std::map<std::string, std::string>;

Facts FactsOf(const grpc::Status& status) {
  const ErrorDetails details = DetailsOf(status);
  return {details.info.metadata().begin(), details.info.metadata().end()};
}

Handler Answers(int status, std::string body, HttpHeaders headers = {{"Content-Type", "application/json"}}) {
  return [=](Exchange& exchange) { exchange.Answer(status, body, headers); };
}

// A stream of one whole event, then `rest`.
Handler Streams(std::function<void(Exchange&)> rest) {
  return [rest = std::move(rest)](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(kRunStart);
    rest(exchange);
  };
}

struct Row {
  std::string name;
  Handler handler;
  StatusCode code;
  std::string reason;
  Facts facts;  // there may be others
  size_t events = 0;
};

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.name;
}

class IgptdErrorTableTest : public ::testing::TestWithParam<Row> {};

TEST_P(IgptdErrorTableTest, IsWhatTheCallerGets) {
  const Row& row = GetParam();
  Igptd igptd({"--max_retries=2", "--first_byte_timeout=300ms", "--idle_timeout=300ms", "--max_event_bytes=1KiB"});
  igptd.upstream.OnRequest(row.handler);
  const Stream stream = igptd.Ask(AskFor("ada", "?"));
  EXPECT_THAT(stream.status, FailsWith(row.code, row.reason));
  const Facts facts = FactsOf(stream.status);
  EXPECT_THAT(facts, IsSupersetOf(row.facts));
  EXPECT_THAT(stream.events, SizeIs(row.events));
  EXPECT_LE(stream.status.error_message().size() + stream.status.error_details().size(), 2048U);
  EXPECT_NE(stream.status.error_message(), "");
  EXPECT_EQ(DetailsOf(stream.status).retry_info.has_value(), row.reason == "IGPT_RATE_LIMITED");
  EXPECT_EQ(stream.initial.empty(), row.events == 0);  // without events, a Trailers-Only response
  igptd.Stop();
  ASSERT_THAT(igptd.CallLines(), SizeIs(1)) << igptd.process->Stderr();
  EXPECT_EQ(igptd.CallLines()[0]["reason"], row.reason);
}

const Facts kOneEvent = {{"events_delivered", "1"}};

INSTANTIATE_TEST_SUITE_P(
    Rows, IgptdErrorTableTest,
    ::testing::Values(
        Row{"params", Answers(200, R"({"error":"params"})"), StatusCode::INVALID_ARGUMENT, "IGPT_PARAMS", {}},
        Row{"http_400", Answers(400, "{}"), StatusCode::INVALID_ARGUMENT, "IGPT_PARAMS", {{"http_status", "400"}}},
        Row{"http_422", Answers(422, "{}"), StatusCode::INVALID_ARGUMENT, "IGPT_PARAMS", {{"http_status", "422"}}},
        Row{"auth", Answers(200, R"({"error":"auth"})"), StatusCode::FAILED_PRECONDITION, "IGPT_AUTH", {}},
        Row{"http_401", Answers(401, ""), StatusCode::FAILED_PRECONDITION, "IGPT_AUTH", {{"http_status", "401"}}},
        Row{"http_403", Answers(403, "{}"), StatusCode::FAILED_PRECONDITION, "IGPT_AUTH", {{"http_status", "403"}}},
        Row{"other",
            Answers(200, R"({"error":"quota"})"),
            StatusCode::UNKNOWN,
            "IGPT_ERROR",
            {{"igpt_error", "quota"}}},
        Row{"http_429",
            Answers(429, "", {{"Retry-After", "1000"}}),
            StatusCode::RESOURCE_EXHAUSTED,
            "IGPT_RATE_LIMITED",
            {{"http_status", "429"}}},
        Row{"http_500",
            Answers(500, ""),
            StatusCode::UNAVAILABLE,
            "IGPT_UNAVAILABLE",
            {{"http_status", "500"}, {"attempts", "2"}}},
        Row{"http_503",
            Answers(503, ""),
            StatusCode::UNAVAILABLE,
            "IGPT_UNAVAILABLE",
            {{"http_status", "503"}, {"attempts", "2"}}},
        Row{"reset",
            [](Exchange& exchange) { exchange.Reset(); },
            StatusCode::UNAVAILABLE,
            "NETWORK_ERROR",
            {{"attempts", "2"}}},
        Row{"http_404", Answers(404, "{}"), StatusCode::INTERNAL, "IGPT_PROTOCOL", {{"http_status", "404"}}},
        Row{"http_204", Answers(204, ""), StatusCode::INTERNAL, "IGPT_PROTOCOL", {{"http_status", "204"}}},
        Row{"redirect",
            Answers(302, "", {{"Location", "http://127.0.0.1:1/"}}),
            StatusCode::INTERNAL,
            "IGPT_PROTOCOL",
            {{"http_status", "302"}}},
        Row{"html", Answers(200, "<html>", {{"Content-Type", "text/html"}}), StatusCode::INTERNAL, "IGPT_PROTOCOL", {}},
        Row{"no_json", Answers(200, "Yes."), StatusCode::INTERNAL, "IGPT_PROTOCOL", {}},
        Row{"empty", Answers(200, ""), StatusCode::INTERNAL, "IGPT_PROTOCOL", {}},
        Row{"first_byte",
            [](Exchange& exchange) { exchange.Stall(); },
            StatusCode::UNAVAILABLE,
            "IGPT_TIMEOUT",
            {{"timer", "first_byte"}}},
        Row{"idle",
            Streams([](Exchange& exchange) { exchange.Stall(); }),
            StatusCode::DEADLINE_EXCEEDED,
            "IGPT_TIMEOUT",
            {{"timer", "idle"}, {"events_delivered", "1"}},
            1},
        Row{"cut", Streams([](Exchange& exchange) { exchange.Close(); }), StatusCode::UNAVAILABLE, "STREAM_TRUNCATED",
            kOneEvent, 1},
        Row{"reset_mid_stream", Streams([](Exchange& exchange) { exchange.Reset(); }), StatusCode::UNAVAILABLE,
            "STREAM_TRUNCATED", kOneEvent, 1},
        Row{"open_run", Streams([](Exchange& exchange) { exchange.EndChunked(); }), StatusCode::UNAVAILABLE,
            "STREAM_TRUNCATED", kOneEvent, 1},
        Row{"bad_event", Streams([](Exchange& exchange) { exchange.SendSse("{\"delta\":"); }), StatusCode::DATA_LOSS,
            "STREAM_MALFORMED", kOneEvent, 1},
        Row{"bad_utf8", Streams([](Exchange& exchange) { exchange.SendSse("{\"delta\":\"\xff\"}"); }),
            StatusCode::DATA_LOSS, "STREAM_MALFORMED", kOneEvent, 1},
        Row{"too_deep", Streams([](Exchange& exchange) { exchange.SendSse(std::string(500, '[')); }),
            StatusCode::DATA_LOSS, "STREAM_MALFORMED", kOneEvent, 1},
        Row{"error_event", Streams([](Exchange& exchange) { exchange.SendSse(R"({"error":"auth"})"); }),
            StatusCode::FAILED_PRECONDITION, "IGPT_AUTH", kOneEvent, 1},
        Row{"too_large", Streams([](Exchange& exchange) { exchange.SendSse(DeltaEvent(1, std::string(2000, 'a'))); }),
            StatusCode::RESOURCE_EXHAUSTED, "ANSWER_TOO_LARGE", kOneEvent, 1}),
    [](const ::testing::TestParamInfo<Row>& row) { return row.param.name; });

TEST(IgptdErrorsTest, NobodyListens) {
  const ScriptedHttpServer nobody(ScriptedHttpServer::Mode::kRefuse);
  Igptd igptd({"--igpt_base_url=" + nobody.url("/v1")});
  const Stream stream = igptd.Ask(AskFor("ada", "?"));
  EXPECT_THAT(stream.status, FailsWith(StatusCode::UNAVAILABLE, "NETWORK_ERROR"));
}

TEST(IgptdErrorsTest, AnUnknownDatasource) {
  Igptd igptd;
  igptd.upstream.OnRequest(Answers(404, "{}"));
  v1::DisconnectRequest request;
  request.set_user("ada");
  request.set_id("a/b/c");
  EXPECT_THAT(igptd.Disconnect(request).status, FailsWith(StatusCode::NOT_FOUND, "IGPT_NOT_FOUND"));
  v1::ListRequest list;
  list.set_user("ada");
  EXPECT_THAT(igptd.List(list).status, FailsWith(StatusCode::INTERNAL, "IGPT_PROTOCOL"));
}

// A request that changes something is not sent again if the first one may have arrived.
TEST(IgptdErrorsTest, DisconnectAndAuthorizeAreNotRepeated) {
  Igptd igptd;
  igptd.upstream.OnRequest(Answers(503, ""));
  v1::DisconnectRequest disconnect;
  disconnect.set_user("ada");
  disconnect.set_id("a/b/c");
  EXPECT_THAT(igptd.Disconnect(disconnect).status, FailsWith(StatusCode::UNAVAILABLE, "IGPT_UNAVAILABLE"));
  v1::AuthorizeRequest authorize;
  authorize.set_user("ada");
  authorize.set_service("spike");
  authorize.set_scope("messages");
  EXPECT_THAT(igptd.Authorize(authorize).status, FailsWith(StatusCode::UNAVAILABLE, "IGPT_UNAVAILABLE"));
  EXPECT_THAT(igptd.upstream.requests(), SizeIs(2));
}

TEST(IgptdErrorsTest, AllViolationsAtOnceAndNothingIsSent) {
  Igptd igptd;
  const auto fields = [](const grpc::Status& status) {
    EXPECT_THAT(status, FailsWith(StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST"));
    return DetailsOf(status).bad_fields;
  };
  const std::string too_long(1025, 'a');
  v1::AskRequest ask;
  ask.set_quality("a\nb");
  ask.mutable_output_format()->mutable_json_schema()->set_schema("{no json");
  const Stream stream = igptd.Ask(ask);
  EXPECT_THAT(fields(stream.status), ElementsAre("user", "input", "quality", "output_format.json_schema.schema"));
  EXPECT_THAT(stream.initial, IsEmpty());
  EXPECT_THAT(fields(igptd.Ask(AskFor("ada", std::string((1 << 20) + 1, 'a'))).status), ElementsAre("input"));

  v1::SearchRequest search;
  search.set_user(too_long);
  search.set_date_from("2026-02-30");
  search.set_date_to("11.06.2026");
  search.set_max_results(-1);
  EXPECT_THAT(fields(igptd.Search(search).status), ElementsAre("user", "date_from", "date_to", "max_results"));
  search.Clear();
  search.set_user("ada");
  search.set_date_from("2026-03-01");
  search.set_date_to("2026-02-28");
  EXPECT_THAT(fields(igptd.Search(search).status), ElementsAre("date_to"));

  for (const char c : {'\r', '\n', '\0'}) {
    const std::string name = std::string("a") + c + "b";
    v1::ListRequest list;
    list.set_user(name);
    EXPECT_THAT(fields(igptd.List(list).status), ElementsAre("user"));
    v1::DisconnectRequest disconnect;
    disconnect.set_user(name);
    disconnect.set_id(name);
    EXPECT_THAT(fields(igptd.Disconnect(disconnect).status), ElementsAre("user", "id"));
    v1::AuthorizeRequest authorize;
    authorize.set_user(name);
    authorize.set_service(name);
    authorize.set_scope(name);
    EXPECT_THAT(fields(igptd.Authorize(authorize).status), ElementsAre("user", "service", "scope"));
  }
  EXPECT_THAT(fields(igptd.Authorize({}).status), ElementsAre("user", "service", "scope"));
  EXPECT_EQ(igptd.upstream.connections(), 0);
}

// protobuf can't parse this, so gRPC would answer INTERNAL without a reason.
TEST(IgptdErrorsTest, WhatIsNoRequestIsNamedFieldByField) {
  Igptd igptd;
  igptd.upstream.OnRequest(Answers(200, R"({"output":"Yes."})"));
  const auto refused = [&](const std::string& bytes) {
    const RawAnswer answer = CallRaw(igptd.channel, "/igpt.v1.RecallService/Ask", bytes);
    EXPECT_EQ(answer.status.error_code(), StatusCode::INVALID_ARGUMENT);
    const ErrorDetails details = DetailsOf(answer.status);
    EXPECT_EQ(details.info.reason(), "INVALID_REQUEST");
    return details.bad_fields;
  };
  const std::string user =
      "\x0a\x03"
      "ada";
  const std::string bad_input = "\x12\x02\xff\xfe";
  const std::string bad_schema_name = "\x22\x06\x1a\x04\x1a\x02\xff\xfe";
  EXPECT_THAT(refused(user + bad_input), ElementsAre("input"));
  EXPECT_THAT(refused(user + bad_input + bad_schema_name), ElementsAre("input", "output_format.json_schema.name"));
  EXPECT_THAT(refused(user + "\x12\x7fshort"), ElementsAre(""));
  EXPECT_EQ(igptd.upstream.connections(), 0);
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, IsOkStatus());  // igptd still serves
}

TEST(IgptdErrorsTest, AnUnknownMethodIsNamed) {
  Igptd igptd({"--log_level=trace"});
  for (const std::string name :
       {"igpt.v1.RecallService/canary", "igpt.v2.RecallService/Ask", "igpt.v1.RecallService", "", "a/b/c",
        "igpt.v1./Ask", "igpt.v1.RecallService/ask", "grpc.health.v2.Health/Check"}) {
    const grpc::Status status = CallRaw(igptd.channel, "/" + name, "request").status;
    EXPECT_THAT(status, FailsWith(StatusCode::UNIMPLEMENTED, "UNKNOWN_METHOD")) << name;
    EXPECT_THAT(status.error_message(), HasSubstr("\"" + name + "\" is not a method of this igptd"));
  }
  const grpc::Status status = CallRaw(igptd.channel, "/" + std::string(4000, 'a'), "").status;
  EXPECT_THAT(status, FailsWith(StatusCode::UNIMPLEMENTED, "UNKNOWN_METHOD"));
  EXPECT_LE(status.error_message().size() + status.error_details().size(), 2048U);
  const Series series = igptd.MetricsAtRest();
  EXPECT_EQ(series.at(R"(igptd_errors_total{grpc_service="unknown",grpc_method="unknown",)"
                      R"(grpc_code="Unimplemented",reason="UNKNOWN_METHOD"})"),
            9);
  igptd.Stop();
  EXPECT_THAT(igptd.CallLines(), SizeIs(9));
  for (const nlohmann::json& line : igptd.CallLines()) {
    EXPECT_EQ(line["method"], "unknown");
    EXPECT_EQ(line["reason"], "UNKNOWN_METHOD");
  }
  EXPECT_THAT(igptd.process->Stderr(), Not(HasSubstr("canary")));  // callers can write anything there
  EXPECT_EQ(igptd.upstream.connections(), 0);
}

// The end doesn't wait for requests, which may never come.
TEST(IgptdErrorsTest, AnUnknownMethodEndsBeforeItsRequests) {
  Igptd igptd;
  grpc::GenericStub stub(igptd.channel);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kWaitLimit));
  grpc::CompletionQueue queue;
  const auto wait = [&queue] {
    void* tag;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto call = stub.PrepareCall(&context, "/igpt.v1.RecallService/Converse", &queue);
  call->StartCall(nullptr);
  ASSERT_TRUE(wait());
  grpc::Status status;
  call->Finish(&status, nullptr);
  ASSERT_TRUE(wait());
  EXPECT_THAT(status, FailsWith(StatusCode::UNIMPLEMENTED, "UNKNOWN_METHOD"));
}

TEST(IgptdErrorsTest, NeitherStatusNorLogHoldsASecret) {
  constexpr char kKeyCanary[] = "ak:canary-key";
  const std::string canaries[] = {kKeyCanary, "canary-user", "canary-prompt", "canary-answer"};
  Igptd igptd({"--log_level=trace", "--max_retries=1"}, {std::string("IGPT_API_KEY=") + kKeyCanary});
  const Handler handlers[] = {
      Answers(200, R"({"output":"canary-answer"})"),
      Answers(200, "canary-answer"),
      Answers(500, "canary-answer"),
      Answers(401, "canary-answer canary-user ak:canary-key"),
      Answers(200, "canary-answer", {{"Content-Type", "text/html; canary-answer"}}),
      Streams([](Exchange& exchange) { exchange.SendSse("canary-answer"); }),
      Streams([](Exchange& exchange) { exchange.SendSse(DeltaEvent(1, "canary-answer")), exchange.Reset(); }),
  };
  std::vector<grpc::Status> statuses;
  for (const Handler& handler : handlers) {
    igptd.upstream.OnNextRequest(handler);
    statuses.push_back(igptd.Ask(AskFor("canary-user", "canary-prompt\n")).status);
  }
  v1::AskRequest bad = AskFor("canary-user\n", "canary-prompt");
  bad.mutable_output_format()->mutable_json_schema()->set_schema("canary-prompt");
  statuses.push_back(igptd.Ask(bad).status);
  igptd.Stop();
  EXPECT_THAT(igptd.CallLines(), SizeIs(std::size(handlers) + 1));
  for (const std::string& canary : canaries) {
    for (const grpc::Status& status : statuses) {
      EXPECT_THAT(status.error_message(), Not(HasSubstr(canary)));
      EXPECT_THAT(status.error_details(), Not(HasSubstr(canary)));
    }
    EXPECT_THAT(igptd.process->Stderr(), Not(HasSubstr(canary)));
    EXPECT_THAT(igptd.process->Stdout(), Not(HasSubstr(canary)));
  }
}

}  // namespace
}  // namespace igpt::testing
