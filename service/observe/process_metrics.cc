#include "service/observe/process_metrics.h"

#include <sys/resource.h>

#include <optional>

#include "service/system/resources.h"

namespace igptd {
namespace {

double SecondsOf(const timeval& time) {
  return absl::ToDoubleSeconds(absl::DurationFromTimeval(time));
}

}  // namespace

void CollectProcess(absl::Time started_at, MetricFamilies& families) {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  AddCounter(families, "process_cpu_seconds_total", "User and system CPU time.",
             SecondsOf(usage.ru_utime) + SecondsOf(usage.ru_stime));
  AddGauge(families, "process_start_time_seconds", "When igptd started, in seconds since 1970.",
           absl::ToDoubleSeconds(started_at - absl::UnixEpoch()));
  if (const std::optional<ProcessMemory> memory = ReadProcessMemory()) {
    AddGauge(families, "process_resident_memory_bytes", "Resident memory.", static_cast<double>(memory->resident));
    AddGauge(families, "process_virtual_memory_bytes", "Virtual memory.", static_cast<double>(memory->address_space));
  }
  const auto [open, limit] = CountDescriptors();
  AddGauge(families, "process_max_fds", "The limit of open file descriptors.", static_cast<double>(limit));
  if (open.has_value()) {
    AddGauge(families, "process_open_fds", "Open file descriptors.", static_cast<double>(*open));
  }
}

}  // namespace igptd
