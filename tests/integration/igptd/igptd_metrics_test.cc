// igptd's metrics, call by call, as a scrape sees them.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/integration/igptd/igptd_fixture.h"
#include "tests/support/await.h"

namespace igpt::testing {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::Not;

std::string OfMethod(const std::string& name, const std::string& service, const std::string& method,
                     const std::string& more = "") {
  return absl::StrCat(name, "{grpc_service=\"igpt.v1.", service, "\",grpc_method=\"", method, "\"", more, "}");
}
std::string OfAsk(const std::string& name, const std::string& more = "") {
  return OfMethod(name, "RecallService", "Ask", more);
}
std::string Requests(const std::string& route, const std::string& result) {
  return absl::StrCat("igptd_upstream_requests_total{route=\"", route, "\",result=\"", result, "\"}");
}

// The sum of all series with this name.
double SumOf(const Series& series, const std::string& name) {
  double sum = 0;
  for (const auto& [key, value] : series) sum += key.substr(0, key.find('{')) == name ? value : 0;
  return sum;
}

TEST(IgptdMetricsTest, EveryMethodIsCounted) {
  Igptd igptd;
  igptd.upstream.OnRequest([](Exchange& exchange) {
    exchange.Answer(200, R"({"output":"Yes.","url":"https://example.com","datasources":[]})");
  });
  igpt::v1::SearchRequest search;
  search.set_user("ada");
  search.set_query("budget");
  igpt::v1::ListRequest list;
  list.set_user("ada");
  igpt::v1::DisconnectRequest disconnect;
  disconnect.set_user("ada");
  disconnect.set_id("spike/1/messages");
  igpt::v1::AuthorizeRequest authorize;
  authorize.set_user("ada");
  authorize.set_service("spike");
  authorize.set_scope("messages");
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, IsOkStatus());
  for (int i = 0; i < 2; ++i) EXPECT_THAT(igptd.Search(search).status, IsOkStatus());
  EXPECT_THAT(igptd.List(list).status, IsOkStatus());
  EXPECT_THAT(igptd.Disconnect(disconnect).status, IsOkStatus());
  EXPECT_THAT(igptd.Authorize(authorize).status, IsOkStatus());

  const Series series = igptd.Metrics();
  const struct {
    const char* service;
    const char* method;
    const char* route;
    double calls;
  } kMethods[] = {{"RecallService", "Ask", "recall/ask", 1},
                  {"RecallService", "Search", "recall/search", 2},
                  {"DatasourcesService", "List", "datasources/list", 1},
                  {"DatasourcesService", "Disconnect", "datasources/disconnect", 1},
                  {"ConnectorsService", "Authorize", "connectors/authorize", 1}};
  for (const auto& [service, method, route, calls] : kMethods) {
    SCOPED_TRACE(method);
    EXPECT_EQ(series.at(OfMethod("grpc_server_started_total", service, method)), calls);
    EXPECT_EQ(series.at(OfMethod("grpc_server_handled_total", service, method, R"(,grpc_code="OK")")), calls);
    EXPECT_EQ(series.at(OfMethod("grpc_server_handling_seconds_count", service, method)), calls);
    EXPECT_EQ(series.at(OfMethod("igptd_overhead_seconds_count", service, method)), calls);
    EXPECT_GT(series.at(OfMethod("igptd_overhead_seconds_sum", service, method)), 0);
    EXPECT_EQ(series.at(Requests(route, "ok")), calls);
    EXPECT_EQ(series.at(absl::StrCat("igptd_upstream_seconds_count{route=\"", route, "\"}")), calls);
  }
  EXPECT_EQ(SumOf(series, "grpc_server_handled_total"), 6);
  EXPECT_EQ(SumOf(series, "igptd_errors_total"), 0);
  EXPECT_EQ(series.at("igptd_event_loop_lag_seconds_count"), 6);
  EXPECT_EQ(series.at("igptd_time_to_first_event_seconds_count"), 1);
  EXPECT_EQ(series.at("igptd_streams_in_flight"), 0);
  EXPECT_EQ(series.at("igptd_calls_queued"), 0);
  // How many of them are new depends on the number of loops; the last two always are.
  EXPECT_EQ(SumOf(series, "igptd_upstream_connections_total"), 6);
  EXPECT_GE(series.at(R"(igptd_upstream_connections_total{state="new"})"), 3);
}

TEST(IgptdMetricsTest, AStreamIsInFlightUntilItsEndAndItsEventsAreTimed) {
  Event first_gap, go_on;
  Igptd igptd;
  igptd.upstream.OnRequest([&](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(kRunStart);
    exchange.WaitFor(first_gap);
    exchange.SendSse(DeltaEvent(1, "a"));
    exchange.WaitFor(go_on);
    exchange.SendSse(kRunDone);
    exchange.EndChunked();
  });
  grpc::ClientContext context;
  const auto reader = igptd.recall->Ask(&context, AskFor("ada", "?"));
  igpt::v1::AskResponse event;
  ASSERT_TRUE(reader->Read(&event));
  Series series = igptd.Metrics();
  EXPECT_EQ(series.at("igptd_streams_in_flight"), 1);
  EXPECT_EQ(series.at("igptd_time_to_first_event_seconds_count"), 1);
  EXPECT_EQ(series.at("igptd_event_gap_seconds_count"), 0);
  EXPECT_EQ(series.at("igptd_connections"), 1);
  EXPECT_EQ(series.at(OfAsk("grpc_server_started_total")), 1);
  EXPECT_EQ(series.at(OfAsk("grpc_server_handled_total", R"(,grpc_code="OK")")), 0);

  constexpr absl::Duration kGap = absl::Milliseconds(300);
  absl::SleepFor(kGap);
  first_gap.Set();
  ASSERT_TRUE(reader->Read(&event));
  series = igptd.Metrics();
  EXPECT_EQ(series.at("igptd_event_gap_seconds_count"), 1);
  EXPECT_EQ(series.at(R"(igptd_event_gap_seconds_bucket{le="0.25"})"), 0);
  EXPECT_GE(series.at("igptd_event_gap_seconds_sum"), absl::ToDoubleSeconds(kGap) - 0.05);

  go_on.Set();
  EXPECT_THAT(ReadAll(context, *reader).status, IsOkStatus());
  series = igptd.Metrics();
  EXPECT_EQ(series.at("igptd_streams_in_flight"), 0);
  EXPECT_EQ(series.at("igptd_event_gap_seconds_count"), 2);
  EXPECT_EQ(series.at(OfAsk("grpc_server_handled_total", R"(,grpc_code="OK")")), 1);
  // The call took as long as iGPT, which isn't igptd's own time.
  const double took = series.at(OfAsk("grpc_server_handling_seconds_sum"));
  EXPECT_GE(took, absl::ToDoubleSeconds(kGap));
  EXPECT_LE(series.at(OfAsk("igptd_overhead_seconds_sum")), took - absl::ToDoubleSeconds(kGap / 2));
}

TEST(IgptdMetricsTest, AnErrorIsCountedByCodeAndReason) {
  Igptd igptd({"--max_retries=3"});
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(503, ""); });
  const double budget = igptd.Metrics().at("igptd_upstream_retry_budget");
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, FailsWith(grpc::StatusCode::UNAVAILABLE, "IGPT_UNAVAILABLE"));
  EXPECT_THAT(igptd.Ask(AskFor("ada", "")).status, FailsWith(grpc::StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST"));
  const Series series = igptd.Metrics();
  EXPECT_EQ(series.at(OfAsk("igptd_errors_total", R"(,grpc_code="Unavailable",reason="IGPT_UNAVAILABLE")")), 1);
  EXPECT_EQ(series.at(OfAsk("igptd_errors_total", R"(,grpc_code="InvalidArgument",reason="INVALID_REQUEST")")), 1);
  EXPECT_EQ(SumOf(series, "igptd_errors_total"), 2);
  EXPECT_EQ(series.at(OfAsk("grpc_server_handled_total", R"(,grpc_code="Unavailable")")), 1);
  EXPECT_EQ(SumOf(series, "grpc_server_handled_total"), 2);
  EXPECT_EQ(series.at(Requests("recall/ask", "unavailable")), 3);
  EXPECT_EQ(SumOf(series, "igptd_upstream_requests_total"), 3);
  EXPECT_EQ(series.at(R"(igptd_upstream_retries_total{route="recall/ask"})"), 2);
  EXPECT_EQ(series.at("igptd_upstream_retry_budget"), budget - 2);
}

TEST(IgptdMetricsTest, ACallerThatGoesCancelsTheRequest) {
  Event asked;
  Igptd igptd;
  igptd.upstream.OnRequest([&](Exchange& exchange) {
    asked.Set();
    exchange.Stall();
  });
  grpc::ClientContext context;
  const auto reader = igptd.recall->Ask(&context, AskFor("ada", "?"));
  ASSERT_TRUE(asked.Await());
  context.TryCancel();
  EXPECT_EQ(ReadAll(context, *reader).status.error_code(), grpc::StatusCode::CANCELLED);
  const Series series = igptd.MetricsAtRest();
  EXPECT_EQ(series.at(OfAsk("igptd_errors_total", R"(,grpc_code="Canceled",reason="REQUEST_ABORTED")")), 1);
  EXPECT_EQ(series.at(R"(igptd_upstream_cancelled_total{route="recall/ask"})"), 1);
  EXPECT_EQ(series.at(Requests("recall/ask", "aborted")), 1);
}

TEST(IgptdMetricsTest, TheProcessAndItsConnectionsAreMeasured) {
  const absl::Time before = absl::Now();
  Igptd igptd;
  const Series series = igptd.Metrics();
  EXPECT_GT(series.at("process_cpu_seconds_total"), 0);
  EXPECT_GT(series.at("process_resident_memory_bytes"), 1 << 20);
  EXPECT_THAT(series.at("process_open_fds"), AllOf(Ge(5), Le(series.at("process_max_fds"))));
  constexpr double kSlack = 1;
  EXPECT_GE(series.at("process_start_time_seconds"), absl::ToDoubleSeconds(before - absl::UnixEpoch()) - kSlack);
  EXPECT_EQ(series.at("igptd_connections"), 0);
  EXPECT_EQ(series.at("igptd_log_lines_dropped_total"), 0);
  EXPECT_EQ(series.at("igptd_connections_cut_off_total"), 0);
  for (const char* resource : {"memory", "file_descriptors"}) {  // first measured soon after the start
    const std::string use = R"(igptd_resource_use_ratio{resource=")" + std::string(resource) + "\"}";
    EXPECT_TRUE(AwaitTrue([&] { return igptd.Metrics().at(use) > 0; })) << use;
    EXPECT_LT(igptd.Metrics().at(use), 1);
  }

  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"output":"Yes."})"); });
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, IsOkStatus());
  EXPECT_EQ(igptd.Metrics().at("igptd_connections"), 1);
  EXPECT_EQ(igptd.Metrics().at("igptd_connections_opened_total"), 1);
}

TEST(IgptdMetricsTest, LookUpsAreCounted) {
  Igptd igptd({"--igpt_base_url=https://no-such-host.invalid/v1", "--max_retries=1"});
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, FailsWith(grpc::StatusCode::UNAVAILABLE, "NETWORK_ERROR"));
  EXPECT_EQ(igptd.Metrics().at(R"(igptd_dns_lookups_total{result="failed"})"), 1);
}

TEST(IgptdMetricsTest, NothingOfUsersOrTextIsInThem) {
  Igptd igptd({"--default_user=canary-default"}, {"IGPT_API_KEY=ak:canary-key"});
  igptd.upstream.OnRequest(
      [](Exchange& exchange) { exchange.Answer(200, R"({"output":"canary-answer","id":"canary-id"})"); });
  EXPECT_THAT(igptd.Ask(AskFor("canary-user", "canary-prompt")).status, IsOkStatus());
  EXPECT_THAT(igptd.Get("/metrics").body, Not(HasSubstr("canary")));
}

}  // namespace
}  // namespace igpt::testing
