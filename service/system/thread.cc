#include "service/system/thread.h"

#include <pthread.h>

#include <csignal>
#include <system_error>
#include <utility>

#include "absl/status/status.h"

namespace igptd {
namespace {

// As the SDK's own, of which the sandbox knows nothing.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) sigdelset(&all, own);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

absl::StatusOr<std::thread> StartThread(std::function<void()> run) {
  const SignalsBlocked blocked;
  try {
    return std::thread(std::move(run));
  } catch (const std::system_error&) {
    return absl::ResourceExhaustedError(
        "no thread can be started: end some of those that the process or the system has, or allow more");
  }
}

}  // namespace igptd
