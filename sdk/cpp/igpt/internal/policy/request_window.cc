#include "igpt/internal/policy/request_window.h"

#include <algorithm>

namespace igpt::internal {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

}  // namespace

// Without the seconds that have gone since something was counted.
RequestWindow::Counts RequestWindow::Sum(int64_t now) const {
  const int64_t oldest = now / kNanosPerSecond - static_cast<int64_t>(kSeconds) + 1;
  Counts sum;
  for (int64_t second = std::max(oldest, second_ - static_cast<int64_t>(kSeconds) + 1); second <= second_; ++second) {
    const Counts& counts = counts_[static_cast<size_t>(second) % kSeconds];
    sum.good += counts.good;
    sum.bad += counts.bad;
  }
  return sum;
}

RequestWindow::Counts& RequestWindow::Current(int64_t now) {
  const int64_t second = now / kNanosPerSecond;
  // Those between have seen nothing; after a whole window, so have all.
  for (second_ = std::max(second_, second - static_cast<int64_t>(kSeconds)); second_ < second;) {
    counts_[static_cast<size_t>(++second_) % kSeconds] = {};
  }
  return counts_[static_cast<size_t>(second_) % kSeconds];
}

}  // namespace igpt::internal
