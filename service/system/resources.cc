#include "service/system/resources.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace igptd {
namespace {

// The share of its memory limit that a control group uses; 0 if it has no limit.
double UseOfGroup(const std::string& directory) {
  const std::optional<int64_t> limit = ReadKernelNumber(absl::StrCat(directory, "/memory.max"));
  const std::optional<int64_t> current = ReadKernelNumber(absl::StrCat(directory, "/memory.current"));
  if (!limit.has_value() || !current.has_value() || *limit <= 0) return 0;
  const std::optional<std::string> stat = ReadKernelFile(absl::StrCat(directory, "/memory.stat"));
  const int64_t reclaimable = NumberAfter("inactive_file ", stat.value_or(""));
  return static_cast<double>(*current - reclaimable) / static_cast<double>(*limit);
}

// The number of open file descriptors. Linux reports it since 6.2; before that they have to be counted.
std::optional<int64_t> OpenDescriptors(int64_t limit) {
  constexpr char kDirectory[] = "/proc/self/fd";
  struct stat status = {};
  if (stat(kDirectory, &status) == 0 && status.st_size > 0) return status.st_size;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(kDirectory), &closedir);
  if (directory == nullptr) return errno == EMFILE ? std::optional(limit) : std::nullopt;
  int64_t count = -3;  // excludes ".", ".." and the descriptor of the directory itself
  while (readdir(directory.get()) != nullptr) ++count;
  return count;
}

}  // namespace

std::optional<ProcessMemory> ReadProcessMemory(const ResourcePaths& paths) {
  const std::string statm = ReadKernelFile(absl::StrCat(paths.proc, "/self/statm")).value_or("");
  const std::vector<absl::string_view> pages = absl::StrSplit(statm, ' ');
  ProcessMemory memory;
  if (pages.size() < 2 || !absl::SimpleAtoi(pages[0], &memory.address_space) ||
      !absl::SimpleAtoi(pages[1], &memory.resident)) {
    return std::nullopt;
  }
  const int64_t page = sysconf(_SC_PAGESIZE);
  return ProcessMemory{memory.address_space * page, memory.resident * page};
}

std::optional<double> MemoryUse(const ResourcePaths& paths) {
  const std::optional<ProcessMemory> memory = ReadProcessMemory(paths);
  const std::optional<std::string> machine = ReadKernelFile(absl::StrCat(paths.proc, "/meminfo"));
  if (!memory.has_value() || !machine.has_value()) return std::nullopt;
  const int64_t total = NumberAfter("MemTotal:", *machine) * 1024;
  double use = total == 0 ? 0 : static_cast<double>(memory->resident) / static_cast<double>(total);
  for (const std::string& group : ControlGroups(paths)) use = std::max(use, UseOfGroup(group));
  return use;
}

Descriptors CountDescriptors() {
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  const auto most = static_cast<int64_t>(std::min<rlim_t>(limit.rlim_cur, INT64_MAX));
  return {OpenDescriptors(most), most};
}

double DescriptorUse() {
  const auto [open, limit] = CountDescriptors();
  if (limit == 0) return 0;
  return std::min(1.0, static_cast<double>(open.value_or(limit)) / static_cast<double>(limit));
}

}  // namespace igptd
