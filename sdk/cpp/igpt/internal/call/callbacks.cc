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

void Callbacks::Run(absl::AnyInvocable<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(callback));
  }
  executor_->Run([self = shared_from_this()] { self->RunNext(); });
}

bool Callbacks::RunNext() {
  std::unique_lock lock(mutex_);
  if (waiting_.empty()) return false;
  absl::AnyInvocable<void()> callback = std::move(waiting_.front());
  waiting_.pop_front();
  ++running_;
  lock.unlock();
  const Callbacks* const before = std::exchange(current, this);
  RunCaught(std::move(callback));
  current = before;
  lock.lock();
  --running_;
  returned_.notify_all();
  return true;
}

void Callbacks::Finish() {
  while (RunNext()) {
  }
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [this] { return running_ == 0; });
}

bool Callbacks::InCallback() const {
  return current == this;
}

}  // namespace igpt::internal
