// The callbacks of a client's user: where they run, and when the last one has returned.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "igpt/executor.h"
#include "igpt/internal/base/log.h"
#include "igpt/internal/base/thread_pool.h"

namespace igpt::internal {

// Runs a callback of the user. What it throws would end its thread, and with it the program.
template <typename Callback>
void RunCaught(const Log& log, Callback&& callback) {
  try {
    callback();
  } catch (...) {
    // Not what it says: that could be anybody's mail.
    log.Complain("a callback threw an exception, which is lost");
  }
}

// Thread-safe.
class Callbacks : public std::enable_shared_from_this<Callbacks> {
 public:
  // Without an executor, callbacks run at once, on the event loop's thread. What they throw is lost, but for a line in
  // `log`.
  Callbacks(std::shared_ptr<Executor> executor, std::shared_ptr<const Log> log)
      : executor_(std::move(executor)), log_(std::move(log)) {}

  // `callback`, so that it runs on the executor when it is called with a result.
  template <typename Result>
  absl::AnyInvocable<void(Result)> Wrap(absl::AnyInvocable<void(Result)> callback) {
    if (executor_ == nullptr) {
      return [log = log_, callback = std::move(callback)](Result result) mutable {
        RunCaught(*log, [&] { callback(std::move(result)); });
      };
    }
    return [self = shared_from_this(), callback = std::move(callback)](Result result) mutable {
      self->Run(
          [callback = std::move(callback), result = std::move(result)]() mutable { callback(std::move(result)); });
    };
  }

  // Runs those that still wait for the executor, which may itself wait for this thread, and waits until all have
  // returned.
  void Finish();

  // Whether this thread runs one of them.
  bool InCallback() const;

 private:
  void Run(absl::AnyInvocable<void()> callback);
  // Returns false if none waits.
  bool RunNext();

  const std::shared_ptr<Executor> executor_;
  const std::shared_ptr<const Log> log_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable returned_;
  std::deque<absl::AnyInvocable<void()>> waiting_;  // in order; the executor was asked as often as there are callbacks
  int running_ = 0;
};

// Gives `callback` an error on the default executor, where there is no client that could be used.
template <typename Result>
void FailLater(absl::AnyInvocable<void(Result)> callback, absl::Status status) {
  DefaultExecutor()->Run([callback = std::move(callback), status = std::move(status)]() mutable {
    RunCaught(Log(nullptr), [&] { callback(std::move(status)); });
  });
}

}  // namespace igpt::internal
