// Metrics of requests to iGPT.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <string_view>
#include <vector>

#include "igpt/error.h"
#include "igpt/observer.h"
#include "service/observe/metric_family.h"
#include "service/observe/metric_values.h"

namespace igptd {

// Of one loop.
class UpstreamMetrics final : public igpt::Observer {
 public:
  UpstreamMetrics();

  void OnRequestEnd(const igpt::RequestReport& report) override;
  void OnLookupEnd(bool found) override { (found ? lookups_ : failed_lookups_).Increment(); }

 private:
  friend void CollectUpstream(const std::vector<const UpstreamMetrics*>& loops, MetricFamilies& families);
  static constexpr size_t kResults = static_cast<size_t>(igpt::ErrorKind::kTooLarge) + 2;  // success is the first

  struct Route {
    explicit Route(std::string_view route_name);
    std::string_view name;  // "recall/ask"
    std::array<Counter, kResults> results;
    Counter retries;
    Durations duration;
  };

  std::deque<Route> routes_;  // all routes; fixed after construction
  Counter new_connections_;
  Counter reused_connections_;
  Counter http1_answers_;
  Counter http2_answers_;
  Counter lookups_;
  Counter failed_lookups_;
};

// Adds the families, summed over loops. Thread-safe.
void CollectUpstream(const std::vector<const UpstreamMetrics*>& loops, MetricFamilies& families);

}  // namespace igptd
