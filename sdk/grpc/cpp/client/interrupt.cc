#include "client/interrupt.h"

#include <pthread.h>
#include <unistd.h>

#include "exit_code.h"

Interrupt::Interrupt() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  thread_ = std::thread([this] { Wait(); });
}

Interrupt::~Interrupt() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  pthread_kill(thread_.native_handle(), SIGINT);
  thread_.join();
}

bool Interrupt::happened() const {
  const std::lock_guard lock(mutex_);
  return happened_;
}

void Interrupt::Cancels(grpc::ClientContext* call) {
  const std::lock_guard lock(mutex_);
  call_ = call;
  if (happened_ && call_ != nullptr) call_->TryCancel();
}

bool Interrupt::Sleep(absl::Duration duration) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, absl::ToChronoNanoseconds(duration), [this] { return happened_; });
}

void Interrupt::Wait() {
  for (int signal = 0; sigwait(&signals_, &signal) == 0;) {
    const std::lock_guard lock(mutex_);
    if (over_) return;
    if (happened_) _exit(kExitInterrupted);  // cancelling did not help: perhaps nobody reads stdout
    happened_ = true;
    if (call_ != nullptr) call_->TryCancel();
    changed_.notify_all();
  }
}
