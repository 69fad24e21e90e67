// The report of a soak.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "soak/checker.h"
#include "soak/history.h"

namespace igpt::soak {

struct Circumstances {
  uint64_t seed = 0;
  double minutes = 0;
  int replaced = 0;
  int keys = 0;
  int clock_steps = 0;
  int bombs = 0;
  int attacks = 0;  // connections
};

// The violations with everything known about their calls, the times from cancels to closed sockets, the counts, and as
// the last line the verdict.
std::string Report(const Circumstances& circumstances, const History& history,
                   const std::vector<Violation>& violations);

}  // namespace igpt::soak
