// Makes spans of calls and of their requests to iGPT, and exports them.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "igpt/monotonic_time.h"
#include "igpt/observer.h"
#include "service/observe/call_record.h"
#include "service/observe/span_exporter.h"
#include "service/observe/trace_options.h"
#include "service/observe/upstream_metrics.h"

namespace igptd {

// Thread-safe. A call that isn't sampled costs the decision and nothing else.
class CallSpans {
 public:
  // `exporter` must outlive this.
  CallSpans(const Sampling& sampling, UpstreamAddress upstream, SpanExporter& exporter)
      : sampling_(sampling), upstream_(std::move(upstream)), exporter_(exporter) {}

  // A call begins: decides whether it is recorded. `client`: the IP address that it comes from.
  void OnStart(CallRecord& call, igpt::MonotonicTime accepted_at, std::string_view client) const;
  void OnEnd(const CallRecord& call) const;
  void OnRequestEnd(const igpt::RequestReport& request) const;

 private:
  const Sampling sampling_;
  const UpstreamAddress upstream_;
  SpanExporter& exporter_;
};

// Tells both of a loop's requests. They must outlive it.
class UpstreamObserver final : public igpt::Observer {
 public:
  UpstreamObserver(UpstreamMetrics& metrics, const CallSpans& spans) : metrics_(metrics), spans_(spans) {}
  void OnRequestEnd(const igpt::RequestReport& report) override {
    metrics_.OnRequestEnd(report);
    spans_.OnRequestEnd(report);
  }
  void OnLookupEnd(bool found) override { metrics_.OnLookupEnd(found); }

 private:
  UpstreamMetrics& metrics_;
  const CallSpans& spans_;
};

}  // namespace igptd
