#include "service/system/thread.h"

#include <pthread.h>

#include <csignal>
#include <system_error>
#include <utility>

#include "absl/status/status.h"

namespace igptd {

absl::StatusOr<std::thread> StartThread(std::function<void()> run) {
  sigset_t blocked;
  sigfillset(&blocked);
  for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) sigdelset(&blocked, own);
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  absl::StatusOr<std::thread> thread = absl::ResourceExhaustedError(
      "no thread can be started: end some of those that the process or the system has, or allow more");
  try {
    thread = std::thread(std::move(run));
  } catch (const std::system_error&) {
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace igptd
