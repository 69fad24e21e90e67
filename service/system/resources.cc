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
#include "service/system/cgroup.h"

namespace igptd {
namespace {

// What a version of control groups calls its files, and the pages among a group's that the kernel can drop at any time.
struct MemoryFiles {
  const char* limit;
  const char* used;
  const char* droppable;
};
constexpr MemoryFiles kVersion1 = {"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "};
constexpr MemoryFiles kVersion2 = {"memory.max", "memory.current", "inactive_file "};

// The share of its memory limit that a control group uses; 0 if it has no limit, which version 1 writes as a huge one.
double UseOf(const ControlGroup& group) {
  const MemoryFiles& files = group.version == 1 ? kVersion1 : kVersion2;
  int64_t limit = 0;
  int64_t used = 0;
  if (!absl::SimpleAtoi(group.Read(files.limit), &limit) || !absl::SimpleAtoi(group.Read(files.used), &used) ||
      limit <= 0)
    return 0;
  return static_cast<double>(used - NumberAfter(files.droppable, group.Read("memory.stat"))) /
         static_cast<double>(limit);
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

std::optional<ProcessMemory> ReadProcessMemory(const std::string& root) {
  const std::string statm = ReadKernelFile(root + "/proc/self/statm").value_or("");
  const std::vector<absl::string_view> pages = absl::StrSplit(statm, ' ');
  ProcessMemory memory;
  if (pages.size() < 2 || !absl::SimpleAtoi(pages[0], &memory.address_space) ||
      !absl::SimpleAtoi(pages[1], &memory.resident)) {
    return std::nullopt;
  }
  const int64_t page = sysconf(_SC_PAGESIZE);
  return ProcessMemory{memory.address_space * page, memory.resident * page};
}

std::optional<double> MemoryUse(const std::string& root) {
  const std::optional<ProcessMemory> memory = ReadProcessMemory(root);
  const std::optional<std::string> machine = ReadKernelFile(root + "/proc/meminfo");
  if (!memory.has_value() || !machine.has_value()) return std::nullopt;
  const int64_t total = NumberAfter("MemTotal:", *machine) * 1024;
  double use = total == 0 ? 0 : static_cast<double>(memory->resident) / static_cast<double>(total);
  for (const ControlGroup& group : ControlGroups("memory", root)) use = std::max(use, UseOf(group));
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
