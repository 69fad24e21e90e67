// What a caller may take, as the callers file says.
#pragma once

#include <string>

namespace igptd {

struct CallerLimits {
  std::string name;              // fit for logs and metrics: [A-Za-z0-9._-]
  int max_in_flight = 0;         // 0: no limit of its own
  double starts_per_second = 0;  // 0: no limit of its own
  double burst = 0;              // how many calls may start at once when none did for a while; at least 1 with a rate
};

}  // namespace igptd
