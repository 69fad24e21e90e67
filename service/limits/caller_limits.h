// A caller's limits, from the callers file.
#pragma once

#include <string>

namespace igptd {

struct CallerLimits {
  std::string name;              // safe in logs and metrics: [A-Za-z0-9._-]
  int max_in_flight = 0;         // 0: no limit of its own
  double starts_per_second = 0;  // 0: no limit of its own
  double burst = 0;              // how many calls may start at once after a pause; at least 1 if there is a rate
};

}  // namespace igptd
