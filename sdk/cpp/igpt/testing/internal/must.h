// What to do when a machine has nothing left for a test.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace igpt::testing {

// Aborts if a system call fails that can only fail if the machine runs out of something.
inline int Must(int result, const char* call) {
  if (result < 0) {
    std::perror(call);
    std::abort();
  }
  return result;
}

}  // namespace igpt::testing
