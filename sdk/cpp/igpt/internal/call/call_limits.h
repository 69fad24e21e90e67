// What ends a call before its answer is there: its deadline, Options::max_call_duration, its stop token, Cancel(), or
// the client's Close(). On the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "igpt/internal/call/cancellable.h"
#include "igpt/internal/call/client_core.h"
#include "igpt/monotonic_time.h"
#include "igpt/options.h"
#include "igpt/unstable/event_loop.h"

namespace igpt::internal {

class CallLimits final : public Cancellable {
 public:
  // `end` runs at most once, between Start() and Over(), maybe before Start() returns: with kDeadline, kTimeout or
  // kAborted.
  CallLimits(ClientCore& core, const CallOptions& options, absl::AnyInvocable<void(absl::Status)> end);
  ~CallLimits() override;

  // False: the call is over already, as `end` was told.
  bool Start();
  void Cancel() override;
  // The call has ended by itself.
  void Over();
  // Ends it with an error, unless it is over.
  void End(absl::Status status);

  // How much time is left.
  absl::Duration Left() const { return end_at_ - MonotonicTime::Now(); }

 private:
  void OnDeadline();

  ClientCore& core_;
  const std::stop_token stop_;
  const bool deadline_is_callers_;  // as it comes before max_call_duration
  const MonotonicTime end_at_;
  absl::AnyInvocable<void(absl::Status)> end_;
  bool over_ = false;
  EventLoop::Timer timer_;
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
  std::shared_ptr<CallLimits*> self_;  // held weakly by what the stop token posts
};

}  // namespace igpt::internal
