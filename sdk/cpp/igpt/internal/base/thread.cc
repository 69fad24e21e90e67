#include "igpt/internal/base/thread.h"

#include <pthread.h>

#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "igpt/internal/base/signals_blocked.h"

namespace igpt::internal {

absl::StatusOr<std::thread> StartThread(const char* name, absl::AnyInvocable<void()> run) {
  const SignalsBlocked blocked;
  try {
    return std::thread([name, run = std::move(run)]() mutable {
      pthread_setname_np(pthread_self(), name);
      run();
    });
  } catch (const std::system_error&) {
    return absl::ResourceExhaustedError("no thread can be started: the process or the system has too many");
  }
}

}  // namespace igpt::internal
