#include "igpt/internal/call/callbacks.h"

namespace igpt::internal {
namespace {

// Whose callback this thread runs.
thread_local const Callbacks* current = nullptr;

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
  RunCaught(*log_, callback);
  callback = nullptr;  // before it counts as returned, as its destruction may run code of the user too
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
