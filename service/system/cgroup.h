// What the control groups (v2) of this process allow it, as the kernel shows it in files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace igptd {

// Where the kernel shows it: for tests, directories of their own.
struct ResourcePaths {
  std::string proc = "/proc";
  std::string cgroups = "/sys/fs/cgroup";
};

// What is in a file of the kernel's; nullopt when it can't be read.
std::optional<std::string> ReadKernelFile(const std::string& path);

// The number that a file holds; nullopt when it holds none: "max", for one.
std::optional<int64_t> ReadKernelNumber(const std::string& path);

// The number after `name` at the beginning of a line: "inactive_file 4096", "MemTotal:  8123456 kB". 0: there is none.
int64_t NumberAfter(std::string_view name, std::string_view text);

// The directories of this process's control group and of all above it, its own first; the topmost alone when its own
// isn't known. A limit of any of them holds.
std::vector<std::string> ControlGroups(const ResourcePaths& paths);

}  // namespace igptd
