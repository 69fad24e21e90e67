#include "igpt/internal/base/thread_pool.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "igpt/internal/base/fork.h"
#include "igpt/internal/base/thread.h"

namespace igpt::internal {
namespace {

constexpr size_t kMaxThreads = 64;

// An idle thread ends after this time.
constexpr std::chrono::seconds kIdle{10};

class ThreadPool final : public Executor {
 public:
  void Run(absl::AnyInvocable<void()> function) override {
    std::unique_lock lock(mutex_);
    queue_.push_back(std::move(function));
    if (queue_.size() <= idle_) return work_.notify_one();
    if (threads_ < kMaxThreads && StartOne()) return;
    if (threads_ > 0) return;  // one of them will come to it
    // No thread can be had at all, so it has to be this one.
    absl::AnyInvocable<void()> first = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    first();
  }

 private:
  bool StartOne() {
    absl::StatusOr<std::thread> thread = StartThread("igpt-callback", [this] { Work(); });
    if (!thread.ok()) return false;
    thread->detach();
    ++threads_;
    return true;
  }

  void Work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      const bool found = work_.wait_for(lock, kIdle, [this] { return !queue_.empty(); });
      --idle_;
      if (!found) break;
      absl::AnyInvocable<void()> function = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      function();
      function = nullptr;  // its destruction may run code of the user too
      lock.lock();
    }
    --threads_;
  }

  std::mutex mutex_;  // guards what follows
  std::condition_variable work_;
  std::deque<absl::AnyInvocable<void()>> queue_;
  size_t threads_ = 0;
  size_t idle_ = 0;  // of them
};

}  // namespace

// Never destroyed, because its threads may outlive main(). A child of fork() gets another one.
std::shared_ptr<Executor> DefaultExecutor() {
  static auto& mutex = *new std::mutex;
  static ThreadPool* pool = nullptr;
  static int generation = 0;
  const std::lock_guard lock(mutex);
  if (pool == nullptr || generation != ForkGeneration()) {
    CountForks();
    pool = new ThreadPool;
    generation = ForkGeneration();
  }
  return {std::shared_ptr<void>(), pool};
}

}  // namespace igpt::internal
