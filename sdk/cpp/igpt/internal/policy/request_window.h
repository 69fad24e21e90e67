// What became of the requests of the last ten seconds. Pure: the clock comes from outside.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace igpt::internal {

// Not thread-safe. `now` is monotonic, in nanoseconds.
class RequestWindow {
 public:
  static constexpr size_t kSeconds = 10;
  struct Counts {
    int32_t good = 0;
    int32_t bad = 0;
  };

  void AddGood(int64_t now) { ++Current(now).good; }
  void AddBad(int64_t now) { ++Current(now).bad; }

  Counts Sum(int64_t now) const;
  // Those of the latest second in which something was counted.
  Counts LatestSecond() const { return counts_[static_cast<size_t>(second_) % kSeconds]; }

 private:
  Counts& Current(int64_t now);

  std::array<Counts, kSeconds> counts_ = {};  // of each second, the latest at second_ % kSeconds
  int64_t second_ = 0;
};

}  // namespace igpt::internal
