// Sends spans to a collector, by OTLP over HTTP. opentelemetry-cpp does that, if igptd was built with it;
// CMakeLists.txt chooses the implementation.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "service/observe/metric_family.h"
#include "service/observe/span.h"
#include "service/observe/trace_options.h"

namespace igptd {

// What has become of spans.
struct SpanCounts {
  std::atomic<int64_t> exported = 0;       // the collector took them
  std::atomic<int64_t> queue_full = 0;     // the collector is too slow, or doesn't answer
  std::atomic<int64_t> export_failed = 0;  // it couldn't be reached or refused them
};
void CollectSpans(const SpanCounts& counts, MetricFamilies& families);

class SpanExporter {
 public:
  // Null if igptd was built without opentelemetry-cpp. `options` must have a URL; `counts` must outlive the exporter.
  // What the collector needs beside them is in variables that opentelemetry-cpp itself reads: see docs/traces.md.
  static std::unique_ptr<SpanExporter> Start(const TraceOptions& options, SpanCounts& counts);

  virtual ~SpanExporter() = default;

  // Queues the span, or drops it if the queue is full. Thread-safe; never waits.
  virtual void Export(const Span& span) = 0;

  // Sends what is in the queue; nothing may be exported after it. False if that takes longer than `limit`: threads are
  // then still at it, so the process can only end without destructors and exit handlers (std::_Exit).
  [[nodiscard]] virtual bool Stop(absl::Duration limit) = 0;
};

}  // namespace igptd
