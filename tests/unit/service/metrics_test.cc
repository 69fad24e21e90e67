#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "service/contract/call_status.h"
#include "service/contract/code_names.h"
#include "service/contract/error_table.h"
#include "service/contract/method_table.h"
#include "service/observe/call_metrics.h"
#include "service/observe/metric_values.h"
#include "service/observe/upstream_metrics.h"
#include "service/readiness.h"

namespace igptd {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

namespace v1 = igpt::v1;

const prometheus::MetricFamily* Find(const MetricFamilies& families, const std::string& name) {
  const auto found = std::find_if(families.begin(), families.end(),
                                  [&](const prometheus::MetricFamily& family) { return family.name == name; });
  return found == families.end() ? nullptr : &*found;
}

// The value of the series whose labels have exactly these values, in order; -1 if there is none.
double ValueOf(const MetricFamilies& families, const std::string& name, const std::vector<std::string>& labels) {
  const prometheus::MetricFamily* family = Find(families, name);
  if (family == nullptr) return -1;
  for (const prometheus::ClientMetric& metric : family->metric) {
    std::vector<std::string> values;
    for (const auto& label : metric.label) values.push_back(label.value);
    if (values == labels) return std::max(metric.counter.value, metric.gauge.value);
  }
  return -1;
}

TEST(MetricValuesTest, DurationsFallIntoBucketsAndAddUp) {
  static constexpr double kBounds[] = {.001, 1};
  Durations one(kBounds);
  Durations other(kBounds);
  one.Observe(absl::ZeroDuration());
  one.Observe(absl::Milliseconds(1));  // bounds are inclusive
  other.Observe(absl::Milliseconds(2));
  other.Observe(absl::Seconds(3));
  prometheus::ClientMetric::Histogram total;
  one.AddTo(total);
  other.AddTo(total);
  EXPECT_EQ(total.sample_count, 4U);
  EXPECT_DOUBLE_EQ(total.sample_sum, 3.003);
  ASSERT_EQ(total.bucket.size(), 3U);
  std::vector<uint64_t> counts;
  for (const auto& bucket : total.bucket) counts.push_back(bucket.cumulative_count);
  EXPECT_THAT(counts, ElementsAre(2, 3, 4));
  EXPECT_EQ(total.bucket[1].upper_bound, 1);
  EXPECT_EQ(total.bucket[2].upper_bound, std::numeric_limits<double>::infinity());
}

TEST(CallMetricsTest, TheLoopsAreAddedUp) {
  MethodMetrics one("igpt.v1.RecallService/Ask", /*method_streams=*/true);
  MethodMetrics other("igpt.v1.RecallService/Ask", /*method_streams=*/true);
  for (MethodMetrics* loop : {&one, &other}) loop->OnStarted(absl::Milliseconds(1));
  CallRecord record;
  record.code = grpc::StatusCode::UNAVAILABLE;
  record.reason = v1::ERROR_REASON_NETWORK_ERROR;
  record.duration = absl::Seconds(3);
  record.waited = absl::Seconds(2);
  one.OnEnding(record);
  MetricFamilies families;
  CollectCalls({&one, &other}, families);
  const std::string service = "igpt.v1.RecallService";
  EXPECT_EQ(ValueOf(families, "grpc_server_started_total", {service, "Ask"}), 2);
  EXPECT_EQ(ValueOf(families, "grpc_server_handled_total", {service, "Ask", "OK"}), 0);
  EXPECT_EQ(ValueOf(families, "grpc_server_handled_total", {service, "Ask", "Unavailable"}), 1);
  EXPECT_EQ(ValueOf(families, "igptd_errors_total", {service, "Ask", "Unavailable", "NETWORK_ERROR"}), 1);
  EXPECT_EQ(ValueOf(families, "igptd_errors_total", {service, "Ask", "Unavailable", "IGPT_TIMEOUT"}), 0);
  EXPECT_EQ(ValueOf(families, "igptd_errors_total", {service, "Ask", "Internal", "NETWORK_ERROR"}), -1);
  EXPECT_EQ(ValueOf(families, "igptd_streams_in_flight", {}), 1);
  EXPECT_EQ(Find(families, "igptd_overhead_seconds")->metric.front().histogram.sample_sum, 1);
}

// Of every method, and of those that igptd doesn't have: what isn't there yet, rate() and increase() miss.
TEST(CallMetricsTest, EveryEndThatCanBeHasASeriesFromTheStart) {
  std::vector<const MethodFacts*> all = {nullptr};
  for (const MethodFacts& method : kMethodFacts) all.push_back(&method);
  for (const MethodFacts* method : all) {
    const std::string name(method == nullptr ? "unknown" : method->name);
    const MethodMetrics metrics(name, method == nullptr || method->streams);
    MetricFamilies families;
    CollectCalls({&metrics}, families);
    std::set<std::string> ends;
    for (const ErrorRow& row : kErrorTable) {
      if (!CanEndWith(method, row)) continue;
      const std::string code(MetricCodeName(row.code));
      const std::string reason(ReasonName(row.reason));
      EXPECT_EQ(ValueOf(families, "igptd_errors_total", {metrics.service, metrics.method, code, reason}), 0)
          << name << ": " << code << "/" << reason;
      EXPECT_EQ(ValueOf(families, "grpc_server_handled_total", {metrics.service, metrics.method, code}), 0)
          << name << ": " << code;
      ends.insert(code + "/" + reason);
    }
    EXPECT_EQ(Find(families, "igptd_errors_total")->metric.size(), ends.size()) << name;
  }
}

// What can happen to any call before igptd knows what it asks for happens to those of unknown methods too.
TEST(CallMetricsTest, ACallOfAnUnknownMethodCanEndBeforeItsMethodIsLookedAt) {
  const MethodMetrics metrics("unknown", /*method_streams=*/true);
  MetricFamilies families;
  CollectCalls({&metrics}, families);
  std::vector<std::string> ends;
  for (const prometheus::ClientMetric& metric : Find(families, "igptd_errors_total")->metric) {
    ends.push_back(metric.label[2].value + "/" + metric.label[3].value);
  }
  EXPECT_THAT(ends, UnorderedElementsAre("Canceled/REQUEST_ABORTED", "DeadlineExceeded/DEADLINE",
                                         "ResourceExhausted/INVALID_REQUEST", "ResourceExhausted/OVERLOADED",
                                         "Unauthenticated/CALLER_UNAUTHENTICATED",
                                         "Unauthenticated/CALLER_TOKEN_EXPIRED", "Unimplemented/UNKNOWN_METHOD"));
}

// An unexpected end is counted too.
TEST(CallMetricsTest, AnUnknownEndIsShownOnceItWas) {
  MethodMetrics metrics("igpt.v1.RecallService/Search", /*method_streams=*/false);
  CallRecord record;
  record.code = grpc::StatusCode::ABORTED;
  record.reason = v1::ERROR_REASON_DEADLINE;
  metrics.OnEnding(record);
  MetricFamilies families;
  CollectCalls({&metrics}, families);
  EXPECT_EQ(ValueOf(families, "igptd_errors_total", {"igpt.v1.RecallService", "Search", "Aborted", "DEADLINE"}), 1);
  EXPECT_EQ(ValueOf(families, "grpc_server_handled_total", {"igpt.v1.RecallService", "Search", "Aborted"}), 1);
}

TEST(CallMetricsTest, OnlyStreamsHaveTimesOfEvents) {
  MethodMetrics unary("igpt.v1.RecallService/Search", /*method_streams=*/false);
  MethodMetrics stream("igpt.v1.RecallService/Ask", /*method_streams=*/true);
  for (MethodMetrics* metrics : {&unary, &stream}) {
    metrics->OnEvent(/*first=*/true, absl::Seconds(1));
    metrics->OnEvent(/*first=*/false, absl::Milliseconds(1));
  }
  MetricFamilies families;
  CollectCalls({&unary, &stream}, families);
  EXPECT_EQ(Find(families, "igptd_time_to_first_event_seconds")->metric.front().histogram.sample_count, 1U);
  EXPECT_EQ(Find(families, "igptd_event_gap_seconds")->metric.front().histogram.sample_count, 1U);
}

TEST(UpstreamMetricsTest, WhatWasSentInVainIsARequestToo) {
  UpstreamMetrics metrics;
  igpt::RequestReport report;
  report.route = "recall/search";
  report.duration = absl::Seconds(1);
  report.sends = 3;
  report.new_connections = 1;
  report.http_version = "2";
  metrics.OnRequestEnd(report);
  report.http_version = "";
  report.error = igpt::ErrorKind::kDeadline;
  report.retry = true;
  report.sends = 0;
  report.new_connections = 0;
  metrics.OnRequestEnd(report);
  MetricFamilies families;
  CollectUpstream({&metrics}, families);
  EXPECT_EQ(ValueOf(families, "igptd_upstream_requests_total", {"recall/search", "ok"}), 1);
  EXPECT_EQ(ValueOf(families, "igptd_upstream_requests_total", {"recall/search", "network"}), 2);
  EXPECT_EQ(ValueOf(families, "igptd_upstream_requests_total", {"recall/search", "deadline"}), 1);
  EXPECT_EQ(ValueOf(families, "igptd_upstream_requests_total", {"recall/ask", "ok"}), 0);
  EXPECT_EQ(ValueOf(families, "igptd_upstream_retries_total", {"recall/search"}), 3);
  EXPECT_EQ(ValueOf(families, "igptd_upstream_cancelled_total", {"recall/search"}), 1);
  EXPECT_EQ(ValueOf(families, "igptd_upstream_connections_total", {"new"}), 1);
  EXPECT_EQ(ValueOf(families, "igptd_upstream_connections_total", {"reused"}), 2);
  EXPECT_EQ(ValueOf(families, "igptd_upstream_answers_total", {"2"}), 1);
  EXPECT_EQ(ValueOf(families, "igptd_upstream_answers_total", {"1.1"}), 0);
}

TEST(ReadinessTest, IsReadyWhenNothingIsAgainstIt) {
  std::vector<bool> told;
  Readiness readiness([&](bool ready) { told.push_back(ready); });
  EXPECT_EQ(readiness.WhyNot(), "");
  readiness.Block("draining");
  readiness.Block("draining");
  readiness.Block("busy");
  EXPECT_EQ(readiness.WhyNot(), "busy, draining");
  readiness.Unblock("draining");
  EXPECT_EQ(readiness.WhyNot(), "busy");
  readiness.Unblock("busy");
  readiness.Unblock("busy");
  EXPECT_EQ(readiness.WhyNot(), "");
  EXPECT_THAT(told, ElementsAre(false, true));
}

}  // namespace
}  // namespace igptd
