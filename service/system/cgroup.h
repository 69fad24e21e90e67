// This process's control groups, from the kernel's files: of version 2, of version 1, or of both where a machine has
// both.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace igptd {

// The contents of a kernel file; nullopt if it can't be read.
std::optional<std::string> ReadKernelFile(const std::string& path);

// The number after `name` at the beginning of a line: "inactive_file 4096", "MemTotal:  8123456 kB". 0 if there is
// none.
int64_t NumberAfter(std::string_view name, std::string_view text);

struct ControlGroup {
  int version = 2;        // which names its files by
  std::string directory;  // where they are, if they can be seen

  // The contents of one of its files; empty if it can't be read.
  std::string Read(std::string_view file) const;
};

// The process's group under a controller ("memory", "cpu") and all groups above it, its own first. The limits of all of
// them apply. Empty if the kernel has no such controller. `root`: a directory that stands for "/", for tests.
std::vector<ControlGroup> ControlGroups(std::string_view controller, const std::string& root = "");

}  // namespace igptd
