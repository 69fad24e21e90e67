// A wall clock for one igptd alone, which a test can set back or forward while it runs.
//
//   SteppedClock clock;
//   Igptd igptd({}, clock.Environment());
//   clock.Step(-absl::Seconds(10));
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/support/scratch.h"

namespace igpt::testing {

// Also for several processes. Thread-safe.
class SteppedClock {
 public:
  SteppedClock();
  ~SteppedClock();
  SteppedClock(const SteppedClock&) = delete;
  SteppedClock& operator=(const SteppedClock&) = delete;

  // What a process needs in its environment to follow this clock.
  std::vector<std::string> Environment() const;

  // Sets the clock forward, or back if `by` is negative. Processes see it at once.
  void Step(absl::Duration by);

 private:
  const ScratchDirectory directory_;
  std::atomic<int64_t>* offset_;  // in nanoseconds, shared with the processes
};

}  // namespace igpt::testing
