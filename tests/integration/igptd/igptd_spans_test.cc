// The spans that a real igptd exports, from the caller's metadata to a collector.
#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/integration/igptd/igptd_fixture.h"
#include "tests/support/collector.h"

namespace igpt::testing {
namespace {

using grpc::StatusCode;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr char kTraceId[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kCallersSpan[] = "00f067aa0ba902b7";

Prepare InTrace(const std::string& flags) {
  return [flags](grpc::ClientContext& context) {
    context.AddMetadata("traceparent", absl::StrCat("00-", kTraceId, "-", kCallersSpan, "-", flags));
    context.AddMetadata("tracestate", "canary=canary");
    context.AddMetadata("x-request-id", "canary");
    context.AddMetadata("authorization", "Bearer canary");
  };
}

std::vector<std::string> With(const Collector& collector, const std::vector<std::string>& more) {
  std::vector<std::string> environment = more;
  for (const std::string& variable : collector.Environment()) environment.push_back(variable);
  return environment;
}

// Calls first, then requests in the order in which they began.
std::vector<ExportedSpan> Sorted(std::vector<ExportedSpan> spans) {
  std::sort(spans.begin(), spans.end(), [](const ExportedSpan& left, const ExportedSpan& right) {
    return left.of_server != right.of_server ? left.of_server : left.start < right.start;
  });
  return spans;
}

Handler Answers(int status, const std::string& body) {
  return [=](Exchange& exchange) { exchange.Answer(status, body); };
}

std::string Sent(const Igptd& igptd, size_t request) {
  return igptd.upstream.requests().at(request).Header("traceparent").value_or("nothing");
}

TEST(IgptdSpansTest, ACallAndEachRequestIsASpan) {
  const Collector collector;
  Igptd igptd({}, With(collector, {"IGPT_API_KEY=ak:canary"}));
  igptd.upstream.OnNextRequest(Answers(503, "canary"));
  igptd.upstream.OnNextRequest(Answers(200, R"({"output":"canary"})"));
  EXPECT_THAT(igptd.Ask(AskFor("canary-user", "canary?"), InTrace("01")).status, IsOkStatus());

  const std::vector<ExportedSpan> spans = Sorted(collector.AwaitSpans(3));
  ASSERT_THAT(spans, SizeIs(3));
  const ExportedSpan& call = spans[0];
  EXPECT_THAT(spans, Each(Field(&ExportedSpan::trace_id, kTraceId)));
  EXPECT_TRUE(call.of_server);
  EXPECT_FALSE(call.failed);
  EXPECT_EQ(call.name, "igpt.v1.RecallService/Ask");
  EXPECT_EQ(call.parent_id, kCallersSpan);
  EXPECT_THAT(call.attributes,
              UnorderedElementsAre(Pair("rpc.system.name", "grpc"), Pair("rpc.method", "igpt.v1.RecallService/Ask"),
                                   Pair("rpc.response.status_code", "OK"), Pair("client.address", "127.0.0.1")));

  const std::string port = std::to_string(igptd.upstream.port());
  const auto common = AllOf(Contains(Pair("http.request.method", "POST")),
                            Contains(Pair("url.full", igptd.upstream.url("/v1/recall/ask/"))),
                            Contains(Pair("url.template", "/v1/recall/ask/")),
                            Contains(Pair("server.address", "127.0.0.1")), Contains(Pair("server.port", port)));
  EXPECT_THAT(spans[1].attributes, AllOf(common, SizeIs(7), Contains(Pair("http.response.status_code", "503")),
                                         Contains(Pair("error.type", "503"))));
  EXPECT_TRUE(spans[1].failed);
  EXPECT_THAT(spans[2].attributes, AllOf(common, SizeIs(7), Contains(Pair("http.response.status_code", "200")),
                                         Contains(Pair("http.request.resend_count", "1"))));
  EXPECT_FALSE(spans[2].failed);
  for (size_t request = 0; request < 2; ++request) {
    const ExportedSpan& span = spans[request + 1];
    EXPECT_FALSE(span.of_server);
    EXPECT_EQ(span.name, "POST /v1/recall/ask/");
    EXPECT_EQ(span.parent_id, call.span_id);
    EXPECT_GE(span.start, call.start);
    EXPECT_LE(span.end, call.end);
    // iGPT's own spans are below the request's.
    EXPECT_EQ(Sent(igptd, request), absl::StrCat("00-", kTraceId, "-", span.span_id, "-01"));
  }

  igptd.Stop();
  ASSERT_THAT(igptd.CallLines(), SizeIs(1));
  EXPECT_EQ(igptd.CallLines()[0].value("trace_id", ""), kTraceId);
  EXPECT_EQ(igptd.CallLines()[0].value("span_id", ""), call.span_id);
  for (const HttpRequest& exported : collector.server.requests()) EXPECT_THAT(exported.body, Not(HasSubstr("canary")));
}

TEST(IgptdSpansTest, TheCallersFlagIsObeyed) {
  const Collector collector;
  Igptd igptd({}, collector.Environment());
  igptd.upstream.OnRequest(Answers(200, R"({"output":"Yes."})"));
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?"), InTrace("00")).status, IsOkStatus());
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?"), InTrace("01")).status, IsOkStatus());
  igptd.Stop();
  EXPECT_THAT(collector.AwaitSpans(2), SizeIs(2));
  // Without a span of its own, the request belongs to the call's, whose id is in the log.
  const std::string sent = Sent(igptd, 0);
  EXPECT_THAT(sent, AllOf(StartsWith(absl::StrCat("00-", kTraceId, "-")), EndsWith("-00")));
  std::vector<std::string> logged;
  for (const nlohmann::json& call : igptd.CallLines()) logged.push_back(call.value("span_id", ""));
  EXPECT_THAT(logged, Contains(sent.substr(36, 16)));
}

TEST(IgptdSpansTest, ACallWithoutATraceStartsOne) {
  const Collector collector;
  Igptd igptd({}, collector.Environment());
  igptd.upstream.OnRequest(Answers(200, R"({"output":"Yes."})"));
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, IsOkStatus());
  const std::vector<ExportedSpan> spans = Sorted(collector.AwaitSpans(2));
  ASSERT_THAT(spans, SizeIs(2));
  EXPECT_EQ(spans[0].parent_id, "");
  EXPECT_EQ(spans[1].parent_id, spans[0].span_id);
  EXPECT_EQ(Sent(igptd, 0), absl::StrCat("00-", spans[0].trace_id, "-", spans[1].span_id, "-01"));
}

TEST(IgptdSpansTest, TheSamplerDecides) {
  const struct {
    const char* sampler;
    const char* sent;  // the flag of the caller
    const char* flag;  // that goes on to iGPT
  } cases[] = {
      {"parentbased_always_off", nullptr, "-00"},
      {"parentbased_always_off", "01", "-01"},
      {"always_off", "01", "-00"},
      {"always_on", "00", "-01"},
      {"traceidratio", "00", "-01"},
  };
  for (const auto& row : cases) {
    const Collector collector;
    Igptd igptd({}, With(collector, {std::string("OTEL_TRACES_SAMPLER=") + row.sampler}));
    igptd.upstream.OnRequest(Answers(200, R"({"output":"Yes."})"));
    EXPECT_THAT(igptd.Ask(AskFor("ada", "?"), row.sent == nullptr ? Prepare() : InTrace(row.sent)).status,
                IsOkStatus());
    EXPECT_THAT(Sent(igptd, 0), EndsWith(row.flag)) << row.sampler;
    igptd.Stop();
    const size_t count = std::string_view(row.flag) == "-01" ? 2 : 0;
    EXPECT_THAT(collector.AwaitSpans(count), SizeIs(count)) << row.sampler;
  }
}

// Whether it failed, its error.type, its code or HTTP status, and its reason.
std::string Described(const ExportedSpan& span) {
  const auto attribute = [&span](const std::string& name) {
    const auto found = span.attributes.find(name);
    return found == span.attributes.end() ? "-" : found->second;
  };
  return absl::StrCat(span.failed ? "failed " : "", span.description, attribute("error.type"), " ",
                      span.of_server ? attribute("rpc.response.status_code") : attribute("http.response.status_code"),
                      " ", span.of_server ? attribute("igptd.reason") : "");
}

class IgptdSpanEndsTest : public ::testing::Test {
 protected:
  // Those of the one call since the last time, which made `requests`.
  std::vector<std::string> NextEnds(size_t requests) {
    const std::vector<ExportedSpan> all = collector_.AwaitSpans(seen_ + 1 + requests);
    const std::vector<ExportedSpan> spans = Sorted({all.begin() + static_cast<ptrdiff_t>(seen_), all.end()});
    seen_ = all.size();
    std::vector<std::string> ends;
    for (const ExportedSpan& span : spans) ends.push_back(Described(span));
    return ends;
  }

  const Collector collector_;
  Event asked_;
  Igptd igptd_{{"--max_retries=1", "--first_byte_timeout=1s"}, collector_.Environment()};
  size_t seen_ = 0;
};

TEST_F(IgptdSpanEndsTest, AreTrue) {
  // A stream that is cut.
  igptd_.upstream.OnNextRequest([](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(kRunStart);
    exchange.Close();
  });
  EXPECT_THAT(igptd_.Ask(AskFor("ada", "?")).status, FailsWith(StatusCode::UNAVAILABLE, "STREAM_TRUNCATED"));
  EXPECT_THAT(NextEnds(1), ElementsAre("failed UNAVAILABLE UNAVAILABLE STREAM_TRUNCATED", "failed network 200 "));

  // A request that is cut before its answer.
  igptd_.upstream.OnNextRequest([](Exchange& exchange) { exchange.Reset(); });
  EXPECT_THAT(igptd_.Ask(AskFor("ada", "?")).status, FailsWith(StatusCode::UNAVAILABLE, "NETWORK_ERROR"));
  EXPECT_THAT(NextEnds(1), ElementsAre("failed UNAVAILABLE UNAVAILABLE NETWORK_ERROR", "failed network - "));

  // An answer that never comes.
  igptd_.upstream.OnNextRequest([](Exchange& exchange) { exchange.Stall(); });
  EXPECT_THAT(igptd_.Ask(AskFor("ada", "?")).status, FailsWith(StatusCode::UNAVAILABLE, "IGPT_TIMEOUT"));
  EXPECT_THAT(NextEnds(1), ElementsAre("failed UNAVAILABLE UNAVAILABLE IGPT_TIMEOUT", "failed timeout - "));

  // What the caller did wrong is no failure of igptd's; but an answer of 4xx is one for who asked.
  igptd_.upstream.OnNextRequest(Answers(422, "{}"));
  EXPECT_THAT(igptd_.Ask(AskFor("ada", "?")).status, FailsWith(StatusCode::INVALID_ARGUMENT, "IGPT_PARAMS"));
  EXPECT_THAT(NextEnds(1), ElementsAre("- INVALID_ARGUMENT IGPT_PARAMS", "failed 422 422 "));
  EXPECT_THAT(igptd_.Ask({}).status, FailsWith(StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST"));
  EXPECT_THAT(NextEnds(0), ElementsAre("- INVALID_ARGUMENT INVALID_REQUEST"));

  // A cancel.
  igptd_.upstream.OnNextRequest([this](Exchange& exchange) {
    asked_.Set();
    exchange.Stall();
  });
  grpc::ClientContext context;
  const auto reader = igptd_.recall->Ask(&context, AskFor("ada", "?"));
  ASSERT_TRUE(asked_.Await());
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), StatusCode::CANCELLED);
  EXPECT_THAT(NextEnds(1), ElementsAre("- CANCELLED REQUEST_ABORTED", "failed aborted - "));

  // A method that there is not.
  EXPECT_EQ(CallRaw(igptd_.channel, "/canary.Service/Canary", "").status.error_code(), StatusCode::UNIMPLEMENTED);
  EXPECT_THAT(NextEnds(0), ElementsAre("failed UNIMPLEMENTED UNIMPLEMENTED UNKNOWN_METHOD"));
  for (const HttpRequest& exported : collector_.server.requests()) EXPECT_THAT(exported.body, Not(HasSubstr("anary")));
}

TEST(IgptdSpansTest, TheVariablesReachTheCollector) {
  const Collector collector;
  Igptd igptd({}, {"IGPT_API_KEY=ak:test", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=" + collector.server.url("/mine"),
                   "OTEL_EXPORTER_OTLP_HEADERS=api-key=secret%20canary", "OTEL_RESOURCE_ATTRIBUTES=team=recall",
                   "OTEL_EXPORTER_OTLP_TIMEOUT=60000", "http_proxy="});
  igptd.upstream.OnRequest(Answers(200, R"({"output":"Yes."})"));
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, IsOkStatus());
  igptd.Stop();  // which doesn't wait for OTEL_BSP_SCHEDULE_DELAY
  ASSERT_TRUE(collector.server.AwaitRequests(1));
  const HttpRequest request = collector.server.requests()[0];
  EXPECT_EQ(request.target, "/mine");
  EXPECT_EQ(request.Header("Content-Type"), "application/x-protobuf");
  EXPECT_EQ(request.Header("api-key"), "secret canary");
  EXPECT_THAT(request.body, AllOf(HasSubstr("igpt.v1.RecallService/Ask"), HasSubstr("service.name"), HasSubstr("igptd"),
                                  HasSubstr("recall"), HasSubstr("https://opentelemetry.io/schemas/")));
  EXPECT_THAT(igptd.process->Stderr(), AllOf(HasSubstr(R"("spans":"on")"), Not(HasSubstr("canary"))));
}

TEST(IgptdSpansTest, OffIsOff) {
  for (const char* off : {"OTEL_SDK_DISABLED=true", "OTEL_TRACES_EXPORTER=none",
                          "OTEL_EXPORTER_OTLP_ENDPOINT=", "OTEL_EXPORTER_OTLP_ENDPOINT=localhost:4318"}) {
    const Collector collector;
    Igptd igptd({}, With(collector, {off}));
    igptd.upstream.OnRequest(Answers(200, R"({"output":"Yes."})"));
    EXPECT_THAT(igptd.Ask(AskFor("ada", "?"), InTrace("01")).status, IsOkStatus());
    igptd.Stop();
    EXPECT_EQ(collector.server.connections(), 0) << off;
    EXPECT_THAT(igptd.process->Stderr(), HasSubstr(R"("spans":"off")")) << off;
    EXPECT_EQ(Sent(igptd, 0).substr(36, 16), igptd.CallLines().at(0).value("span_id", "")) << off;
  }
}

TEST(IgptdSpansTest, AVariableThatCantBeUsedIsAWarning) {
  const std::vector<std::string> environment = {"IGPT_API_KEY=ak:test", "OTEL_EXPORTER_OTLP_ENDPOINT=canary:4317",
                                                "OTEL_SDK_DISABLED=canary"};
  const IgptdProcess::Result result = IgptdProcess::Run({"--check_config"}, environment);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, AllOf(HasSubstr("igptd: OTEL_EXPORTER_OTLP_ENDPOINT: must be a URL"),
                                HasSubstr("igptd: OTEL_SDK_DISABLED: "), Not(HasSubstr("canary"))));
}

// How a collector is out of order.
class IgptdBadCollectorTest : public ::testing::TestWithParam<ScriptedHttpServer::Mode> {};

// Calls go on as if nothing were, and few spans are kept.
TEST_P(IgptdBadCollectorTest, CallsGoOnAndIgptdEnds) {
  constexpr int kCalls = 100;
  Collector collector(GetParam());
  collector.server.OnRequest([](Exchange& exchange) { exchange.Answer(503, "canary"); });
  // With these, who waits for the collector waits too long for this test.
  Igptd igptd({}, With(collector, {"OTEL_EXPORTER_OTLP_TIMEOUT=3600000", "OTEL_BSP_EXPORT_TIMEOUT=3600000",
                                   "OTEL_BSP_MAX_QUEUE_SIZE=8", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=4"}));
  igptd.upstream.OnRequest(Answers(200, R"({"output":"Yes."})"));
  for (int i = 0; i < kCalls; ++i) EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, IsOkStatus());
  const Series metrics = igptd.MetricsAtRest();
  EXPECT_EQ(metrics.at("igptd_spans_exported_total"), 0);
  const double full = metrics.at(R"(igptd_spans_lost_total{reason="queue_full"})");
  const double failed = metrics.at(R"(igptd_spans_lost_total{reason="export_failed"})");
  // What is not lost yet is in the queue, or in the batch that is on its way.
  EXPECT_GE(full + failed, 2 * kCalls - 8 - 4);
  igptd.Stop();
  const std::string log = igptd.process->Stderr();
  EXPECT_THAT(log, Not(HasSubstr("canary")));
  size_t lines = 0;
  for (size_t at = 0; (at = log.find("spans are not exported", at)) != std::string::npos; ++at) ++lines;
  EXPECT_LE(lines, 1U);  // a minute
}

std::string NameOfMode(const ::testing::TestParamInfo<ScriptedHttpServer::Mode>& mode) {
  constexpr const char* kNames[] = {"Answers503", "NeverReads", "Refuses", "NoHandshake"};
  return kNames[static_cast<int>(mode.param)];
}
INSTANTIATE_TEST_SUITE_P(All, IgptdBadCollectorTest,
                         ::testing::Values(ScriptedHttpServer::Mode::kServe, ScriptedHttpServer::Mode::kNeverRead,
                                           ScriptedHttpServer::Mode::kRefuse, ScriptedHttpServer::Mode::kNoHandshake),
                         NameOfMode);

}  // namespace
}  // namespace igpt::testing
