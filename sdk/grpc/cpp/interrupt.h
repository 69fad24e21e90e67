// Ctrl-C as the end of a call.
#pragma once

#include <grpcpp/client_context.h>

#include <atomic>
#include <csignal>
#include <thread>

// Cancels a call when SIGINT comes. A signal handler must not: TryCancel takes locks. So SIGINT is blocked in every
// thread, and one thread does nothing but wait for it. Make one before gRPC starts its threads: they inherit what is
// blocked.
class Interrupt {
 public:
  // `call` has to outlive it.
  explicit Interrupt(grpc::ClientContext& call);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Whether SIGINT came.
  bool happened() const { return happened_; }

 private:
  sigset_t signals_;
  std::atomic<bool> over_ = false;
  std::atomic<bool> happened_ = false;
  std::thread thread_;
};
