// Threads that suit any program: the sandbox is also a guest in others than igptd.
#pragma once

#include <functional>
#include <thread>

#include "absl/status/statusor.h"

namespace igptd {

// Starts a thread that takes no signals of the program: they go to its own threads, and so with threads that it starts.
// Only those that a thread causes itself, such as SIGSEGV, still reach it. RESOURCE_EXHAUSTED when no thread can be
// started.
absl::StatusOr<std::thread> StartThread(std::function<void()> run);

}  // namespace igptd
