// How much memory a process takes, as the kernel counts it.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace igpt::testing {

// In bytes. 0 for a process that is gone.
size_t ResidentMemory(pid_t pid);

// The peak of resident memory since the start, or since the peak was last reset.
size_t PeakMemory(pid_t pid);
void ForgetPeakMemory(pid_t pid);

// How many file descriptors it has open.
size_t OpenDescriptors(pid_t pid);

}  // namespace igpt::testing
