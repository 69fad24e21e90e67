// Counters for hot paths, where a lock or a contended atomic would slow calls down: one thread increments, any thread
// reads. Each loop has its own; a scrape adds them up.
#pragma once

#include <prometheus/client_metric.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "absl/time/time.h"

namespace igptd {

// A number that one thread adds to.
template <typename Number>
class Sum {
 public:
  void Add(Number number) { value_.store(value() + number, std::memory_order_relaxed); }
  Number value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<Number> value_ = 0;
};

// Counts how often something happened.
class Counter : public Sum<int64_t> {
 public:
  void Increment() { Add(1); }
};

// A histogram of durations: a count for each bound, and the sum.
class Durations {
 public:
  // In seconds, ascending; must outlive this.
  explicit Durations(std::span<const double> bounds) : bounds_(bounds), counts_(bounds.size() + 1) {}

  void Observe(absl::Duration duration) {
    const double seconds = absl::ToDoubleSeconds(duration);
    const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), seconds);
    counts_[static_cast<size_t>(bound - bounds_.begin())].Increment();
    seconds_.Add(seconds);
  }

  // Adds the observations to `total`, which must be empty or have the same bounds.
  void AddTo(prometheus::ClientMetric::Histogram& total) const {
    total.bucket.resize(counts_.size());
    uint64_t cumulative = 0;
    for (size_t i = 0; i < counts_.size(); ++i) {
      cumulative += static_cast<uint64_t>(counts_[i].value());
      total.bucket[i].upper_bound = i < bounds_.size() ? bounds_[i] : std::numeric_limits<double>::infinity();
      total.bucket[i].cumulative_count += cumulative;
    }
    total.sample_count += cumulative;
    total.sample_sum += seconds_.value();
  }

 private:
  const std::span<const double> bounds_;
  std::vector<Counter> counts_;  // the last one counts values above all bounds
  Sum<double> seconds_;
};

}  // namespace igptd
