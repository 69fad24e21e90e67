#include "service/system/resources.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace igptd {
namespace {

std::optional<std::string> Read(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::string text;
  std::array<char, 4096> buffer;
  ssize_t got;
  while ((got = read(fd, buffer.data(), buffer.size())) > 0) text.append(buffer.data(), static_cast<size_t>(got));
  close(fd);
  if (got < 0) return std::nullopt;
  return text;
}

std::optional<int64_t> ReadNumber(const std::string& path) {
  const std::optional<std::string> text = Read(path);
  int64_t number = 0;
  if (!text.has_value() || !absl::SimpleAtoi(*text, &number)) return std::nullopt;  // "max", e.g.
  return number;
}

// The number after `name` at the beginning of a line: "inactive_file 4096", "MemTotal:  8123456 kB". 0: there is none.
int64_t NumberAfter(absl::string_view name, absl::string_view text) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::ConsumePrefix(&line, name)) continue;
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    int64_t number = 0;
    if (!words.empty() && absl::SimpleAtoi(words.front(), &number)) return number;
  }
  return 0;
}

// The directory of this process's cgroup; that of the topmost when it isn't known.
std::string OwnCgroup(const ResourcePaths& paths) {
  const std::string cgroups = Read(absl::StrCat(paths.proc, "/self/cgroup")).value_or("");
  for (absl::string_view line : absl::StrSplit(cgroups, '\n')) {
    // Groups outside of what this process's namespace shows are written with "..".
    if (!absl::ConsumePrefix(&line, "0::/") || line.empty() || line.substr(0, 2) == "..") continue;
    return absl::StrCat(paths.cgroups, "/", line);
  }
  return paths.cgroups;
}

double UseOfCgroup(const std::string& directory) {
  const std::optional<int64_t> limit = ReadNumber(absl::StrCat(directory, "/memory.max"));
  const std::optional<int64_t> current = ReadNumber(absl::StrCat(directory, "/memory.current"));
  if (!limit.has_value() || !current.has_value() || *limit <= 0) return 0;
  const std::optional<std::string> stat = Read(absl::StrCat(directory, "/memory.stat"));
  const int64_t reclaimable = NumberAfter("inactive_file ", stat.value_or(""));
  return static_cast<double>(*current - reclaimable) / static_cast<double>(*limit);
}

// How many there are. The kernel gives the number since 6.2, and none before; then they have to be counted.
std::optional<int64_t> OpenDescriptors(int64_t limit) {
  constexpr char kDirectory[] = "/proc/self/fd";
  struct stat status = {};
  if (stat(kDirectory, &status) == 0 && status.st_size > 0) return status.st_size;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(kDirectory), &closedir);
  if (directory == nullptr) return errno == EMFILE ? std::optional(limit) : std::nullopt;
  int64_t count = -3;  // ".", ".." and the directory's own
  while (readdir(directory.get()) != nullptr) ++count;
  return count;
}

}  // namespace

std::optional<ProcessMemory> ReadProcessMemory(const ResourcePaths& paths) {
  const std::string statm = Read(absl::StrCat(paths.proc, "/self/statm")).value_or("");
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
  const std::optional<std::string> machine = Read(absl::StrCat(paths.proc, "/meminfo"));
  if (!memory.has_value() || !machine.has_value()) return std::nullopt;
  const int64_t total = NumberAfter("MemTotal:", *machine) * 1024;
  double use = total == 0 ? 0 : static_cast<double>(memory->resident) / static_cast<double>(total);
  for (std::string directory = OwnCgroup(paths); directory.size() >= paths.cgroups.size();
       directory.resize(directory.rfind('/'))) {
    use = std::max(use, UseOfCgroup(directory));
  }
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

void RaiseDescriptorLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace igptd
