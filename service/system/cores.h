// How many cores this process may use.
#pragma once

#include <string>
#include <string_view>

namespace igptd {

// At least 1. Counts the cores in the process's CPU affinity, at most as many as its control groups' CPU limits allow:
// more threads would only take turns. `root`: as for ControlGroups.
int UsableCores(const std::string& root = "");

// The cores that the text of a control group's cpu.max allows, rounded up; 0 for no limit.
int CoresOfCpuMax(std::string_view cpu_max);

}  // namespace igptd
