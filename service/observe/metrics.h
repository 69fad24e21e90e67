// What igptd counts, for Prometheus. Each loop counts for itself (LoopMetrics), without a lock; whoever asks has it all
// added up.
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
  // `started_at`: when the process did.
  explicit Metrics(absl::Time started_at) : started_at_(started_at) {}

  // For one more loop; stays where it is. Only before the first Text(), like the next.
  LoopMetrics& AddLoop() { return *loops_.emplace_back(std::make_unique<LoopMetrics>()); }
  // Who adds families of their own when somebody asks, on that one's thread.
  using Source = std::function<void(MetricFamilies& families)>;
  void AddSource(Source source) { sources_.push_back(std::move(source)); }

  // All of it, in Prometheus's text format.
  std::string Text() const;

 private:
  const absl::Time started_at_;
  std::vector<std::unique_ptr<LoopMetrics>> loops_;
  std::vector<Source> sources_;
};

}  // namespace igptd
