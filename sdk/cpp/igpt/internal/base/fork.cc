#include "igpt/internal/base/fork.h"

#include <pthread.h>

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/base/call_once.h"

namespace igpt::internal {
namespace {

std::atomic<int> generation = 0;

}  // namespace

int ForkGeneration() {
  return generation.load(std::memory_order_relaxed);
}

void CountForks() {
  static absl::once_flag once;
  absl::call_once(once, [] { pthread_atfork(nullptr, nullptr, [] { ++generation; }); });
}

// Reachable for ever, so that no tool takes it for a leak.
void KeepForever(std::shared_ptr<void> kept) {
  static auto& mutex = *new std::mutex;
  static auto& all = *new std::vector<std::shared_ptr<void>>;
  const std::lock_guard lock(mutex);
  all.push_back(std::move(kept));
}

}  // namespace igpt::internal
