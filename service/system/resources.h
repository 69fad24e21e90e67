// How much memory and how many file descriptors this process uses, as the kernel counts them. Reads files; thread-safe.
// `root`: as for ControlGroups.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace igptd {

// In bytes.
struct ProcessMemory {
  int64_t address_space = 0;
  int64_t resident = 0;
};
// nullopt if it can't be read, for example because no file descriptor is left.
std::optional<ProcessMemory> ReadProcessMemory(const std::string& root = "");

// The share of memory in use, from 0 to 1; nullopt as above.
//
// If its control group or one above it has a limit, this counts what the out-of-memory killer goes by: everything that
// is charged to the group, including socket buffers, except file pages that the kernel can drop at any time. Without a
// limit it is the process's resident memory against the machine's: callers should not pay for what other processes
// take.
std::optional<double> MemoryUse(const std::string& root = "");

// How many file descriptors are open, and how many may be.
struct Descriptors {
  std::optional<int64_t> open;  // equals the limit if none is left to count with; nullopt if they can't be counted
  int64_t limit = 0;
};
Descriptors CountDescriptors();

// The share of file descriptors in use, from 0 to 1; 1 if they can't be counted.
double DescriptorUse();

}  // namespace igptd
