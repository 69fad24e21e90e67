// What this process uses of what it may have, as the kernel counts it. Reads files; thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "service/system/cgroup.h"

namespace igptd {

// In bytes.
struct ProcessMemory {
  int64_t address_space = 0;
  int64_t resident = 0;
};
// nullopt when it can't be read: no file descriptors left, e.g.
std::optional<ProcessMemory> ReadProcessMemory(const ResourcePaths& paths = {});

// How much of its memory is used, from 0 to 1; nullopt as before.
//
// Where a cgroup (v2) has a limit, its own or one above it, it is what the out-of-memory killer goes by: all that is
// charged to the group, what the kernel holds for sockets included, without the file pages that can go at any time.
// Without a limit it is what is resident against the machine's memory: what others there use is not ours to answer for.
std::optional<double> MemoryUse(const ResourcePaths& paths = {});

// How many file descriptors there are, and how many there may be.
struct Descriptors {
  std::optional<int64_t>
      open;  // all of them when not even one is left to count with; nullopt when they can't be counted
  int64_t limit = 0;
};
Descriptors CountDescriptors();

// How much of its file descriptors is used, from 0 to 1; 1 when they can't be counted.
double DescriptorUse();

}  // namespace igptd
