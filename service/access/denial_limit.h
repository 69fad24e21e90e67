// How many denials are logged one by one, so that nobody can drown the log of the others. Pure: the clock comes from
// outside.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "igpt/monotonic_time.h"

namespace igptd {

// Counts in intervals, which begin with a denial and end with Take(). Not thread-safe. Its memory is bounded, whoever
// calls: callers are those of the callers file, and of addresses only so many are told apart.
class DenialLimit {
 public:
  static constexpr absl::Duration kInterval = absl::Seconds(10);
  // In an interval: the lines of a caller, of an address without a known caller, and of all such addresses.
  static constexpr int kLinesOfCaller = 500;
  static constexpr int kLinesOfAddress = 10;
  static constexpr int kLinesOfAddresses = 500;
  // More addresses than these are counted together.
  static constexpr size_t kAddresses = 500;

  // Denials that were not logged one by one. Of both, one is set; or none: they are of many addresses.
  struct LeftOut {
    std::string caller = {};
    std::string address = {};  // a network: see NetworkOf
    int64_t calls = 0;
  };

  // Whether this denial gets a line of its own; otherwise it is counted. `caller`: empty if it is unknown.
  bool MayLog(std::string_view caller, std::string_view host, igpt::MonotonicTime now);

  // When the interval is to end; in the infinite future if none has begun.
  igpt::MonotonicTime end() const { return end_; }

  // Ends the interval.
  std::vector<LeftOut> Take();

 private:
  struct Counts {
    int lines = 0;
    int64_t left_out = 0;
  };
  using ByName = absl::flat_hash_map<std::string, Counts>;

  // The counts of an address, or those of all that are too many.
  Counts& OfAddress(std::string_view host);

  igpt::MonotonicTime end_ = igpt::MonotonicTime::InfiniteFuture();
  ByName callers_;
  ByName addresses_;
  Counts other_addresses_;
  int lines_of_addresses_ = 0;
};

}  // namespace igptd
