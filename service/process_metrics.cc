#include "service/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <optional>

namespace igptd {
namespace {

struct Memory {
  double virtual_bytes = 0;
  double resident_bytes = 0;
};

std::optional<Memory> ReadMemory() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return std::nullopt;
  long size = 0;      // NOLINT(google-runtime-int): scanf's
  long resident = 0;  // NOLINT(google-runtime-int)
  const bool read = std::fscanf(file, "%ld %ld", &size, &resident) == 2;
  std::fclose(file);
  if (!read) return std::nullopt;
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  return Memory{static_cast<double>(size) * page, static_cast<double>(resident) * page};
}

std::optional<double> CountOpenFiles(double limit) {
  // Since Linux 6.2 the directory's size says it. To list ten thousands of files takes milliseconds.
  struct stat status = {};
  if (stat("/proc/self/fd", &status) == 0 && status.st_size > 0) return static_cast<double>(status.st_size);
  DIR* directory = opendir("/proc/self/fd");
  if (directory == nullptr) return errno == EMFILE ? std::optional(limit) : std::nullopt;
  double files = -3;  // "." and "..", and the directory itself
  while (readdir(directory) != nullptr) ++files;
  closedir(directory);
  return files;
}

double SecondsOf(const timeval& time) {
  return absl::ToDoubleSeconds(absl::DurationFromTimeval(time));
}

}  // namespace

void CollectProcess(absl::Time started_at, MetricFamilies& families) {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  AddCounter(families, "process_cpu_seconds_total", "CPU time, user's and system's.",
             SecondsOf(usage.ru_utime) + SecondsOf(usage.ru_stime));
  AddGauge(families, "process_start_time_seconds", "When the process started, in seconds since 1970.",
           absl::ToDoubleSeconds(started_at - absl::UnixEpoch()));
  if (const std::optional<Memory> memory = ReadMemory()) {
    AddGauge(families, "process_resident_memory_bytes", "Memory that is in use.", memory->resident_bytes);
    AddGauge(families, "process_virtual_memory_bytes", "Address space that is in use.", memory->virtual_bytes);
  }
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  const auto max_files = static_cast<double>(limit.rlim_cur);
  AddGauge(families, "process_max_fds", "How many file descriptors may be open.", max_files);
  if (const std::optional<double> files = CountOpenFiles(max_files)) {
    AddGauge(families, "process_open_fds", "How many file descriptors are open.", *files);
  }
}

}  // namespace igptd
