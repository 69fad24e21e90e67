// How many cores this process may use.
#pragma once

#include <string_view>

#include "service/system/cgroup.h"

namespace igptd {

// At least 1. Counts the cores that the process may run on, and heeds the CPU limits of its control groups: more
// threads than that would only take turns.
int UsableCores(const ResourcePaths& paths = {});

// The cores that the text of a cgroup's cpu.max allows, a part of one counted as one; 0 for no limit.
int CoresOfCpuMax(std::string_view cpu_max);

}  // namespace igptd
