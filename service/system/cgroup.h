// The limits of this process's control groups (v2), from the kernel's files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace igptd {

// Where those files are. Tests use directories of their own.
struct ResourcePaths {
  std::string proc = "/proc";
  std::string cgroups = "/sys/fs/cgroup";
};

// The contents of a kernel file; nullopt if it can't be read.
std::optional<std::string> ReadKernelFile(const std::string& path);

// The number in a file; nullopt if it holds none, but for example "max".
std::optional<int64_t> ReadKernelNumber(const std::string& path);

// The number after `name` at the beginning of a line: "inactive_file 4096", "MemTotal:  8123456 kB". 0 if there is
// none.
int64_t NumberAfter(std::string_view name, std::string_view text);

// The directories of this process's control group and of all groups above it, its own first; only the topmost if its
// own is unknown. The limits of all of them apply.
std::vector<std::string> ControlGroups(const ResourcePaths& paths);

}  // namespace igptd
