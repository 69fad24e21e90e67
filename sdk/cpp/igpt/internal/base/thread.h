// Threads of this library, as a guest in somebody's process.
#pragma once

#include <thread>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

namespace igpt::internal {

// Starts a thread that takes no signals of the program: they go to its own threads. Only those that a thread causes
// itself, such as SIGSEGV, still reach it. `name`: at most 15 bytes. RESOURCE_EXHAUSTED when no thread can be started.
absl::StatusOr<std::thread> StartThread(const char* name, absl::AnyInvocable<void()> run);

}  // namespace igpt::internal
