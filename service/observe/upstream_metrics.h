// What is counted of requests to iGPT.
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

// The requests of one loop.
class UpstreamMetrics final : public igpt::Observer {
 public:
  UpstreamMetrics();

  void OnRequestEnd(const igpt::RequestReport& report) override;
  void OnLookupEnd(bool found) override { (found ? lookups_ : failed_lookups_).Increment(); }

 private:
  friend void CollectUpstream(const std::vector<const UpstreamMetrics*>& loops, MetricFamilies& families);
  static constexpr size_t kResults = static_cast<size_t>(igpt::ErrorKind::kTooLarge) + 2;  // and success, the first

  struct Route {
    explicit Route(std::string_view route_name);
    std::string_view name;  // "recall/ask"
    std::array<Counter, kResults> results;
    Counter retries;
    Durations duration;
  };

  std::deque<Route> routes_;  // those that there are: their number doesn't change
  Counter new_connections_;
  Counter reused_connections_;
  Counter lookups_;
  Counter failed_lookups_;
};

// Adds the families of these: their sums. From any thread.
void CollectUpstream(const std::vector<const UpstreamMetrics*>& loops, MetricFamilies& families);

}  // namespace igptd
