#include "igpt/internal/call/callbacks.h"

#include <cstdio>

namespace igpt::internal {
namespace {

// Whose callback this thread runs.
thread_local const Callbacks* current = nullptr;

// What a callback throws would end the executor's thread, and with it the program.
void RunCaught(absl::AnyInvocable<void()> callback) {
  try {
    callback();
  } catch (...) {
    // Not what it says: that could be anybody's mail.
    std::fputs("igpt: a callback threw an exception, which is lost\n", stderr);
  }
}

}  // namespace

// Counts a callback from when it is handed over until it has returned, or was destroyed by an executor that never ran
// it.
class Callbacks::Running {
 public:
  explicit Running(std::shared_ptr<Callbacks> callbacks) : callbacks_(std::move(callbacks)) {
    const std::lock_guard lock(callbacks_->mutex_);
    ++callbacks_->running_;
  }
  ~Running() {
    if (callbacks_ == nullptr) return;
    const std::lock_guard lock(callbacks_->mutex_);
    --callbacks_->running_;
    callbacks_->returned_.notify_all();
  }
  Running(Running&&) = default;
  Running& operator=(Running&&) = delete;

  void Run(absl::AnyInvocable<void()> callback) const {
    const Callbacks* const before = std::exchange(current, callbacks_.get());
    RunCaught(std::move(callback));
    current = before;
  }

 private:
  std::shared_ptr<Callbacks> callbacks_;
};

void Callbacks::Run(absl::AnyInvocable<void()> callback) {
  executor_->Run([running = Running(shared_from_this()), callback = std::move(callback)]() mutable {
    running.Run(std::move(callback));
  });
}

void Callbacks::AwaitAll() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [this] { return running_ == 0; });
}

bool Callbacks::InCallback() const {
  return current == this;
}

}  // namespace igpt::internal
