#include "service/observe/span_exporter.h"

namespace igptd {

void CollectSpans(const SpanCounts& counts, MetricFamilies& families) {
  AddCounter(families, "igptd_spans_exported_total", "Spans that the collector took.",
             static_cast<double>(counts.exported));
  auto lost = CounterFamily("igptd_spans_lost_total", "Spans that did not reach the collector, by the reason.");
  AddValue(lost, {{"reason", "export_failed"}}, static_cast<double>(counts.export_failed));
  AddValue(lost, {{"reason", "queue_full"}}, static_cast<double>(counts.queue_full));
  families.push_back(std::move(lost));
}

}  // namespace igptd
