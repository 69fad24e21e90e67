#include "service/observe/call_metrics.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/contract/call_status.h"
#include "service/contract/code_names.h"
#include "service/contract/error_table.h"
#include "service/contract/method_table.h"

namespace igptd {
namespace {

using grpc::StatusCode;
namespace v1 = igpt::v1;

// From cached answers to those that take minutes.
constexpr double kCallBounds[] = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 900};
constexpr double kFirstEventBounds[] = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 30, 60, 120};
// From bursts to gaps that heartbeats fill, and beyond.
constexpr double kGapBounds[] = {.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 30, 60, 120};
constexpr double kOwnTimeBounds[] = {.00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1};
constexpr double kLagBounds[] = {.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5};

using EndCounts = std::array<std::array<int64_t, MethodMetrics::kReasons>, MethodMetrics::kCodes>;

// A method's numbers on all loops.
struct Totals {
  bool streams = false;
  int64_t started = 0;
  int64_t ended = 0;
  EndCounts ends = {};
  prometheus::ClientMetric::Histogram duration;
  prometheus::ClientMetric::Histogram own_time;
};

void Add(const MethodMetrics& metrics, Totals& totals) {
  totals.streams = metrics.streams;
  // Later stages are read first, so that no difference is ever negative.
  totals.ended += metrics.ended.value();
  totals.started += metrics.started.value();
  for (size_t code = 0; code < metrics.ends.size(); ++code) {
    for (size_t reason = 0; reason < metrics.ends[code].size(); ++reason) {
      totals.ends[code][reason] += metrics.ends[code][reason].value();
    }
  }
  metrics.duration.AddTo(totals.duration);
  metrics.own_time.AddTo(totals.own_time);
}

// Whether this end has a series. Ends that can happen have one from the start, as 0, so that rate() sees the first
// error of a kind.
bool HasSeries(const MethodFacts* method, const EndCounts& ends, StatusCode code, v1::ErrorReason reason) {
  if (ends[code][reason] > 0) return true;
  if (code == StatusCode::OK) return reason == v1::ERROR_REASON_UNSPECIFIED && method != nullptr;
  return std::any_of(std::begin(kErrorTable), std::end(kErrorTable), [&](const ErrorRow& row) {
    return row.code == code && row.reason == reason && CanEndWith(method, row);
  });
}

void AddEnds(const MethodFacts* method, const EndCounts& ends, const MetricLabels& method_labels,
             prometheus::MetricFamily& handled, prometheus::MetricFamily& errors) {
  for (size_t code = 0; code < ends.size(); ++code) {
    const auto status = static_cast<StatusCode>(code);
    MetricLabels labels = method_labels;
    labels.emplace_back("grpc_code", MetricCodeName(status));
    int64_t all = 0;
    bool shown = false;
    for (size_t number = 0; number < ends[code].size(); ++number) {
      const auto reason = static_cast<v1::ErrorReason>(number);
      if (!HasSeries(method, ends, status, reason)) continue;
      shown = true;
      all += ends[code][number];
      if (status == StatusCode::OK) continue;
      MetricLabels with_reason = labels;
      with_reason.emplace_back("reason", ReasonName(reason));
      AddValue(errors, with_reason, static_cast<double>(ends[code][number]));
    }
    if (shown) AddValue(handled, labels, static_cast<double>(all));
  }
}

}  // namespace

MethodMetrics::MethodMetrics(std::string_view name, bool method_streams)
    : service(name.substr(0, name.find('/'))),
      method(name.substr(name.find('/') + 1)),
      streams(method_streams),
      lag(kLagBounds),
      duration(kCallBounds),
      own_time(kOwnTimeBounds),
      first_event(kFirstEventBounds),
      event_gap(kGapBounds) {}

void MethodMetrics::OnStarted(absl::Duration waited) {
  started.Increment();
  lag.Observe(waited);
}

void MethodMetrics::OnEvent(bool first, absl::Duration after) {
  if (streams) (first ? first_event : event_gap).Observe(after);
}

void MethodMetrics::OnEnding(const CallRecord& record) {
  ended.Increment();
  ends[record.code][record.reason].Increment();
  duration.Observe(record.duration);
  own_time.Observe(record.duration - record.waited);
}

void CollectCalls(const std::vector<const MethodMetrics*>& methods, MetricFamilies& families) {
  std::map<std::pair<std::string, std::string>, Totals> totals;
  prometheus::ClientMetric::Histogram first_event;
  prometheus::ClientMetric::Histogram event_gap;
  prometheus::ClientMetric::Histogram lag;
  for (const MethodMetrics* metrics : methods) {
    Add(*metrics, totals[{metrics->service, metrics->method}]);
    metrics->first_event.AddTo(first_event);
    metrics->event_gap.AddTo(event_gap);
    metrics->lag.AddTo(lag);
  }

  auto started = CounterFamily("grpc_server_started_total", "Calls that started.");
  auto handled = CounterFamily("grpc_server_handled_total", "Calls that ended, by their gRPC code.");
  auto errors = CounterFamily("igptd_errors_total", "Calls that ended with a code other than OK, by code and reason.");
  auto handling = HistogramFamily("grpc_server_handling_seconds", "How long calls took, from acceptance to end.");
  auto own_time = HistogramFamily("igptd_overhead_seconds",
                                  "The time that igptd itself took: calls without waiting for iGPT and for callers.");
  int64_t streams = 0;
  for (auto& [name, method] : totals) {
    const MetricLabels labels = {{"grpc_service", name.first}, {"grpc_method", name.second}};
    AddValue(started, labels, static_cast<double>(method.started));
    AddEnds(FindMethod(absl::StrCat(name.first, "/", name.second)), method.ends, labels, handled, errors);
    AddHistogram(handling, labels, std::move(method.duration));
    AddHistogram(own_time, labels, std::move(method.own_time));
    if (method.streams) streams += method.started - method.ended;
  }
  auto first = HistogramFamily("igptd_time_to_first_event_seconds",
                               "Streams: from acceptance to the first event that is not a heartbeat.");
  AddHistogram(first, {}, std::move(first_event));
  auto gap = HistogramFamily("igptd_event_gap_seconds", "Streams: from one event to the next.");
  AddHistogram(gap, {}, std::move(event_gap));
  auto loop_lag =
      HistogramFamily("igptd_event_loop_lag_seconds", "How long accepted calls waited for their event loop.");
  AddHistogram(loop_lag, {}, std::move(lag));
  for (auto* family : {&started, &handled, &errors, &handling, &own_time, &first, &gap, &loop_lag}) {
    families.push_back(std::move(*family));
  }
  AddGauge(families, "igptd_streams_in_flight", "Running streams.", static_cast<double>(streams));
}

}  // namespace igptd
