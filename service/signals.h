// The signals that igptd acts on: SIGTERM and SIGINT end it, SIGHUP changes the log level.
#pragma once

#include <csignal>

#include "absl/time/time.h"

namespace igptd {

// Blocks these signals in all threads, so that only Wait receives them. Create it before the first thread.
class Signals {
 public:
  Signals();

  // Waits up to `timeout` and returns whether a signal came that ends igptd. SIGHUP changes the log level and also ends
  // the wait.
  [[nodiscard]] bool Wait(absl::Duration timeout) const;

 private:
  sigset_t signals_;
};

}  // namespace igptd
