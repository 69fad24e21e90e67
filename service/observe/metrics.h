// igptd's metrics for Prometheus. Each loop counts for itself (LoopMetrics), without a lock; a scrape adds up the
// loops.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "service/observe/call_metrics.h"
#include "service/observe/metric_family.h"
#include "service/observe/upstream_metrics.h"

namespace igptd {

// Belongs to one loop.
struct LoopMetrics {
  std::vector<std::unique_ptr<MethodMetrics>> methods;
  UpstreamMetrics upstream;
};

// Thread-safe.
class Metrics {
 public:
  // `started_at`: when the process started.
  explicit Metrics(absl::Time started_at) : started_at_(started_at) {}

  // Adds the metrics of one more loop, at a stable address. Like AddSource, only before the first Text().
  LoopMetrics& AddLoop() { return *loops_.emplace_back(std::make_unique<LoopMetrics>()); }
  // Adds further families at each scrape, on the scraping thread.
  using Source = std::function<void(MetricFamilies& families)>;
  void AddSource(Source source) { sources_.push_back(std::move(source)); }

  // All metrics in Prometheus's text format.
  std::string Text() const;

 private:
  const absl::Time started_at_;
  std::vector<std::unique_ptr<LoopMetrics>> loops_;
  std::vector<Source> sources_;
};

}  // namespace igptd
