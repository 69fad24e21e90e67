#include "igpt/internal/call/call_limits.h"

#include <algorithm>
#include <utility>

#include "igpt/error.h"
#include "igpt/internal/policy/http_status.h"

namespace igpt::internal {

CallLimits::CallLimits(ClientCore& core, const CallOptions& options, absl::AnyInvocable<void(absl::Status)> end)
    : core_(core),
      stop_(options.stop),
      deadline_is_callers_(options.deadline <= MonotonicTime::Now() + core.options.max_call_duration),
      end_at_(std::min(options.deadline, MonotonicTime::Now() + core.options.max_call_duration)),
      end_(std::move(end)),
      timer_(core.loop, [this] { OnDeadline(); }) {
  core_.calls.insert(this);
}

CallLimits::~CallLimits() {
  if (!over_) core_.calls.erase(this);  // one that is over may outlive the core
}

bool CallLimits::Start() {
  if (core_.closing) {
    End(MakeStatus(ErrorKind::kAborted, "the client is closing"));
    return false;
  }
  if (Left() <= absl::ZeroDuration()) {
    OnDeadline();
    return false;
  }
  timer_.Arm(Left());
  if (stop_.stop_possible()) {
    self_ = std::make_shared<CallLimits*>(this);
    // From any thread, and at once if somebody has asked for it already.
    on_stop_.emplace(stop_, [&loop = core_.loop, weak = std::weak_ptr<CallLimits*>(self_)] {
      loop.Post([weak] {
        if (const std::shared_ptr<CallLimits*> strong = weak.lock()) (*strong)->Cancel();
      });
    });
  }
  return true;
}

void CallLimits::Cancel() {
  End(MakeStatus(ErrorKind::kAborted, "the caller cancelled"));
}

void CallLimits::Over() {
  if (over_) return;
  over_ = true;
  on_stop_.reset();
  timer_.Cancel();
  core_.calls.erase(this);
}

void CallLimits::OnDeadline() {
  if (deadline_is_callers_) return End(MakeStatus(ErrorKind::kDeadline, "the caller's deadline passed"));
  const FailedAttempt failed = TimedOut("total");
  End(MakeStatus(failed.error, failed.message));
}

void CallLimits::End(absl::Status status) {
  if (over_) return;
  Over();
  end_(std::move(status));
}

}  // namespace igpt::internal
