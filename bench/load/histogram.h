// A histogram with log-linear buckets, each less than 1 % wide, in constant memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace igpt::bench {

class Histogram {
 public:
  // A negative value counts as 0.
  void Add(int64_t value);

  int64_t count() const { return count_; }
  int64_t max() const { return max_; }
  double Mean() const;
  // The value that `share` (0 to 1) of all values don't exceed: the middle of its bucket. 0 if there are no values.
  int64_t Percentile(double share) const;

 private:
  // Values below 2^kBits have a bucket each; above, each power of two has 2^(kBits - 1) of them.
  static constexpr int kBits = 8;
  static constexpr size_t kHalf = size_t{1} << (kBits - 1);

  static size_t Bucket(uint64_t value);
  static int64_t Middle(size_t bucket);

  std::array<int64_t, (64 - kBits + 2) * kHalf> buckets_{};
  int64_t count_ = 0;
  int64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace igpt::bench
