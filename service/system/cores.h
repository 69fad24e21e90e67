// How many cores this process may use.
#pragma once

#include <string_view>

#include "service/system/cgroup.h"

namespace igptd {

// At least 1. Counts the cores in the process's CPU affinity, at most as many as its control groups' CPU limits allow:
// more threads would only take turns.
int UsableCores(const ResourcePaths& paths = {});

// The cores that the text of a cgroup's cpu.max allows, rounded up; 0 for no limit.
int CoresOfCpuMax(std::string_view cpu_max);

}  // namespace igptd
