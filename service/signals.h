// The signals that igptd acts on: SIGTERM and SIGINT end it, SIGHUP changes the log level.
#pragma once

#include <csignal>

#include "absl/time/time.h"

namespace igptd {

// Takes them away from all threads, so that only Wait sees them. Made before the first thread.
class Signals {
 public:
  Signals();

  // Whether one that ends igptd came before the time was over. SIGHUP changes the log level, and ends the wait.
  [[nodiscard]] bool Wait(absl::Duration timeout) const;

 private:
  sigset_t signals_;
};

}  // namespace igptd
