#include "bench/load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace igpt::bench {

size_t Histogram::Bucket(uint64_t value) {
  const int shift = std::max(static_cast<int>(std::bit_width(value)) - kBits, 0);
  return static_cast<size_t>(shift) * kHalf + (value >> shift);
}

int64_t Histogram::Middle(size_t bucket) {
  const size_t shift = bucket < 2 * kHalf ? 0 : bucket / kHalf - 1;
  const uint64_t lowest = (bucket - shift * kHalf) << shift;
  return static_cast<int64_t>(lowest + (uint64_t{1} << shift) / 2);
}

void Histogram::Add(int64_t value) {
  value = std::max<int64_t>(value, 0);
  ++buckets_[Bucket(static_cast<uint64_t>(value))];
  ++count_;
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
}

double Histogram::Mean() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

int64_t Histogram::Percentile(double share) const {
  const auto rank = std::max<int64_t>(1, std::llround(std::ceil(share * static_cast<double>(count_))));
  int64_t seen = 0;
  for (size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= rank) return std::min(Middle(bucket), max_);
  }
  return 0;
}

}  // namespace igpt::bench
