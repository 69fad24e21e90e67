// What ends a call before its answer is there: its deadline, Options::max_call_duration, its stop token, Cancel(), or
// the client's Close(). On the loop's thread.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "absl/functional/any_invocable.h"
#include "igpt/internal/call/cancellable.h"
#include "igpt/internal/call/client_core.h"
#include "igpt/internal/policy/failed_attempt.h"
#include "igpt/monotonic_time.h"
#include "igpt/options.h"
#include "igpt/unstable/event_loop.h"

namespace igpt::internal {

class CallLimits final : public Cancellable {
 public:
  // `end` runs at most once, between Start() and Over(), maybe before Start() returns: with kDeadline, kTimeout or
  // kAborted, or what End() is given.
  using OnEnd = absl::AnyInvocable<void(FailedAttempt why)>;
  CallLimits(ClientCore& core, const CallOptions& options, OnEnd end);
  ~CallLimits() override;

  // False: the call is over already, as `end` was told.
  bool Start();
  void Cancel() override;
  // The call has ended by itself.
  void Over();
  // Ends it with an error, unless it is over.
  void End(FailedAttempt why);

  // How much time is left.
  absl::Duration Left() const { return std::min(deadline_, latest_end_) - MonotonicTime::Now(); }

 private:
  void OnDeadline();

  ClientCore& core_;
  const std::stop_token stop_;
  const MonotonicTime latest_end_;  // by max_call_duration
  const MonotonicTime deadline_;    // the caller's
  OnEnd end_;
  bool over_ = false;
  EventLoop::Timer timer_;
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
  std::shared_ptr<CallLimits*> self_;  // held weakly by what the stop token posts
};

}  // namespace igpt::internal
