// Ctrl-C cancels a call.
#pragma once

#include <grpcpp/client_context.h>

#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include "absl/time/time.h"

// Cancels the current call on SIGINT; a second SIGINT ends the program. A signal handler must not do that, because
// TryCancel takes locks. So SIGINT is blocked in every thread, and one thread only waits for it. Create this before
// gRPC starts its threads, so that they inherit the blocked signal.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Whether SIGINT has arrived.
  bool happened() const;

  // From now on it cancels this call: at once if it has already happened. nullptr: none.
  void Cancels(grpc::ClientContext* call);

  // Waits. Returns false, at once, if it happens meanwhile.
  bool Sleep(absl::Duration duration);

 private:
  void Wait();

  sigset_t signals_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool over_ = false;
  bool happened_ = false;
  grpc::ClientContext* call_ = nullptr;

  std::thread thread_;
};
