// Threads that take no signals of the program: they go to its own threads.
#pragma once

#include <pthread.h>

#include <csignal>

namespace igpt::internal {

// Blocks signals on this thread, and so on threads that it starts, for as long as it lives: all but those that a thread
// causes itself, such as SIGSEGV. In the header alone, since igpt::testing uses it, too, and a shared SDK hides
// functions.
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

}  // namespace igpt::internal
