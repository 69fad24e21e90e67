#include "service/signals.h"

#include <pthread.h>

#include <ctime>

#include "service/observe/log.h"

namespace igptd {

Signals::Signals() {
  sigemptyset(&signals_);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals_, signal);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

bool Signals::Wait(absl::Duration timeout) const {
  const timespec limit = absl::ToTimespec(timeout);
  const int signal = sigtimedwait(&signals_, nullptr, &limit);
  if (signal == SIGHUP) ToggleDebugLog();
  return signal == SIGTERM || signal == SIGINT;
}

}  // namespace igptd
