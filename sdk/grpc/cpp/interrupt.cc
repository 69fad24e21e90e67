#include "interrupt.h"

#include <pthread.h>

Interrupt::Interrupt(grpc::ClientContext& call) {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  thread_ = std::thread([this, &call] {
    int signal = 0;
    sigwait(&signals_, &signal);
    if (over_) return;
    happened_ = true;
    call.TryCancel();
  });
}

Interrupt::~Interrupt() {
  over_ = true;
  pthread_kill(thread_.native_handle(), SIGINT);
  thread_.join();
}
