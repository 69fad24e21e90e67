// How much memory a process takes, as the kernel counts it.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace igpt::testing {

// All in bytes. Zero for a process that is gone.
size_t ResidentMemory(pid_t pid);

// The most that was resident since it started, or since it was last forgotten.
size_t PeakMemory(pid_t pid);
void ForgetPeakMemory(pid_t pid);

// How many file descriptors it has open.
size_t OpenDescriptors(pid_t pid);

}  // namespace igpt::testing
