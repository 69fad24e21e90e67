#include "service/system/cores.h"

#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "service/system/cgroup.h"

namespace igptd {
namespace {

// Version 1 has the two numbers of cpu.max in a file each, and -1 for no limit.
int CoresOf(const ControlGroup& group) {
  if (group.version == 2) return CoresOfCpuMax(group.Read("cpu.max"));
  return CoresOfCpuMax(absl::StrCat(group.Read("cpu.cfs_quota_us"), " ", group.Read("cpu.cfs_period_us")));
}

}  // namespace

int UsableCores(const std::string& root) {
  cpu_set_t allowed;  // has room for 1,024 cores; with more, the call below fails
  const bool known = sched_getaffinity(0, sizeof(allowed), &allowed) == 0;
  int cores = known ? CPU_COUNT(&allowed) : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  for (const ControlGroup& group : ControlGroups("cpu", root)) {
    const int limit = CoresOf(group);
    if (limit > 0) cores = std::min(cores, limit);
  }
  return cores;
}

// "<microseconds> <period in microseconds>", or "max <period>".
int CoresOfCpuMax(std::string_view cpu_max) {
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(absl::string_view(cpu_max.data(), cpu_max.size()), absl::MaxSplits(' ', 1));
  int64_t quota;
  int64_t period;
  if (!absl::SimpleAtoi(parts.first, &quota) || !absl::SimpleAtoi(parts.second, &period) || quota <= 0 || period <= 0) {
    return 0;
  }
  constexpr int64_t kMany = 4096;
  return static_cast<int>(std::min(kMany, (quota - 1) / period + 1));
}

}  // namespace igptd
