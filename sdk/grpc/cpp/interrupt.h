// Ctrl-C cancels a call.
#pragma once

#include <grpcpp/client_context.h>

#include <atomic>
#include <csignal>
#include <thread>

// Cancels a call on SIGINT. A signal handler must not do that, because TryCancel takes locks. So SIGINT is blocked in
// every thread, and one thread only waits for it. Create this before gRPC starts its threads, so that they inherit the
// blocked signal.
class Interrupt {
 public:
  // `call` must outlive this.
  explicit Interrupt(grpc::ClientContext& call);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Whether SIGINT has arrived.
  bool happened() const { return happened_; }

 private:
  sigset_t signals_;
  std::atomic<bool> over_ = false;
  std::atomic<bool> happened_ = false;
  std::thread thread_;
};
