#include "service/observe/upstream_metrics.h"

#include <optional>
#include <string>
#include <utility>

#include "service/contract/method_table.h"

namespace igptd {
namespace {

// From cached answers to those that take minutes.
constexpr double kBounds[] = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 900};

size_t IndexOf(std::optional<igpt::ErrorKind> error) {
  return error.has_value() ? static_cast<size_t>(*error) + 1 : 0;
}

std::string ResultName(size_t index) {
  if (index == 0) return "ok";
  return std::string(igpt::ErrorKindName(static_cast<igpt::ErrorKind>(index - 1)));
}

// Results that can happen have a series from the start, as 0: rate() doesn't see a series appear with the value 1.
bool CanBe(size_t index) {
  if (index == 0) return true;
  switch (static_cast<igpt::ErrorKind>(index - 1)) {
    case igpt::ErrorKind::kInvalidRequest:  // no request was sent
    case igpt::ErrorKind::kApi:             // reported within a complete answer, like those below
    case igpt::ErrorKind::kTruncated:
      return false;
    default:
      return true;
  }
}

bool IsGivenUp(size_t index) {
  return index == IndexOf(igpt::ErrorKind::kAborted) || index == IndexOf(igpt::ErrorKind::kDeadline);
}

}  // namespace

UpstreamMetrics::Route::Route(std::string_view route_name) : name(route_name), duration(kBounds) {}

UpstreamMetrics::UpstreamMetrics() {
  for (const MethodFacts& method : kMethodFacts) routes_.emplace_back(method.route);
}

void UpstreamMetrics::OnRequestEnd(const igpt::RequestReport& report) {
  for (Route& route : routes_) {
    if (route.name != report.route) continue;
    route.results[IndexOf(report.error)].Increment();
    // Sent on pooled connections that turned out to be dead.
    const int lost = report.sends > 1 ? report.sends - 1 : 0;
    route.results[IndexOf(igpt::ErrorKind::kNetwork)].Add(lost);
    route.retries.Add(lost + (report.retry ? 1 : 0));
    route.duration.Observe(report.duration);
  }
  new_connections_.Add(report.new_connections);
  if (!report.http_version.empty()) (report.http_version == "2" ? http2_answers_ : http1_answers_).Increment();
  if (report.sends > report.new_connections) reused_connections_.Add(report.sends - report.new_connections);
}

void CollectUpstream(const std::vector<const UpstreamMetrics*>& loops, MetricFamilies& families) {
  auto requests = CounterFamily("igptd_upstream_requests_total", "Finished requests to iGPT, by result.");
  auto seconds =
      HistogramFamily("igptd_upstream_seconds", "How long requests to iGPT took, with name resolution and connecting.");
  auto retries = CounterFamily("igptd_upstream_retries_total", "Requests to iGPT that repeated an earlier one.");
  auto cancelled = CounterFamily("igptd_upstream_cancelled_total",
                                 "Requests to iGPT that igptd aborted, mostly because the caller was gone.");
  for (size_t i = 0; i < kMethodFacts.size(); ++i) {
    std::array<int64_t, UpstreamMetrics::kResults> results = {};
    int64_t all_retries = 0;
    prometheus::ClientMetric::Histogram duration;
    for (const UpstreamMetrics* loop : loops) {
      const UpstreamMetrics::Route& route = loop->routes_[i];
      for (size_t result = 0; result < results.size(); ++result) results[result] += route.results[result].value();
      all_retries += route.retries.value();
      route.duration.AddTo(duration);
    }
    const MetricLabels labels = {{"route", std::string(kMethodFacts[i].route)}};
    int64_t given_up = 0;
    for (size_t result = 0; result < results.size(); ++result) {
      if (IsGivenUp(result)) given_up += results[result];
      if (!CanBe(result) && results[result] == 0) continue;
      MetricLabels with_result = labels;
      with_result.emplace_back("result", ResultName(result));
      AddValue(requests, with_result, static_cast<double>(results[result]));
    }
    AddHistogram(seconds, labels, std::move(duration));
    AddValue(retries, labels, static_cast<double>(all_retries));
    AddValue(cancelled, labels, static_cast<double>(given_up));
  }

  auto connections = CounterFamily("igptd_upstream_connections_total",
                                   "Connections that requests to iGPT were sent on, new or reused.");
  auto lookups = CounterFamily("igptd_dns_lookups_total", "Look-ups of iGPT's host name, by result.");
  auto answers = CounterFamily("igptd_upstream_answers_total", "Answers from iGPT, by the version of HTTP.");
  int64_t http1_answers = 0;
  int64_t http2_answers = 0;
  int64_t new_connections = 0;
  int64_t reused_connections = 0;
  int64_t found = 0;
  int64_t failed = 0;
  for (const UpstreamMetrics* loop : loops) {
    new_connections += loop->new_connections_.value();
    reused_connections += loop->reused_connections_.value();
    http1_answers += loop->http1_answers_.value();
    http2_answers += loop->http2_answers_.value();
    found += loop->lookups_.value();
    failed += loop->failed_lookups_.value();
  }
  AddValue(connections, {{"state", "new"}}, static_cast<double>(new_connections));
  AddValue(connections, {{"state", "reused"}}, static_cast<double>(reused_connections));
  AddValue(answers, {{"http", "1.1"}}, static_cast<double>(http1_answers));
  AddValue(answers, {{"http", "2"}}, static_cast<double>(http2_answers));
  AddValue(lookups, {{"result", "ok"}}, static_cast<double>(found));
  AddValue(lookups, {{"result", "failed"}}, static_cast<double>(failed));
  for (auto* family : {&requests, &seconds, &retries, &cancelled, &connections, &answers, &lookups}) {
    families.push_back(std::move(*family));
  }
}

}  // namespace igptd
