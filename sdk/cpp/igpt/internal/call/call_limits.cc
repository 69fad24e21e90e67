#include "igpt/internal/call/call_limits.h"

#include <algorithm>
#include <string>
#include <utility>

#include "igpt/error.h"
#include "igpt/internal/policy/http_status.h"

namespace igpt::internal {

namespace {

FailedAttempt Because(ErrorKind kind, std::string message) {
  FailedAttempt why;
  why.error.kind = kind;
  why.message = std::move(message);
  return why;
}

}  // namespace

CallLimits::CallLimits(ClientCore& core, const CallOptions& options, OnEnd end)
    : core_(core),
      stop_(options.stop),
      latest_end_(MonotonicTime::Now() + core.options.max_call_duration),
      deadline_(options.deadline),
      end_(std::move(end)),
      timer_(core.loop, [this] { OnDeadline(); }) {
  core_.calls.insert(this);
}

CallLimits::~CallLimits() {
  if (!over_) core_.calls.erase(this);  // one that is over may outlive the core
}

bool CallLimits::Start() {
  if (core_.closing) {
    End(Because(ErrorKind::kAborted, "the client is closing"));
    return false;
  }
  const absl::Duration left = Left();
  if (left <= absl::ZeroDuration()) {
    OnDeadline();
    return false;
  }
  timer_.Arm(left);
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
  End(Because(ErrorKind::kAborted, "the caller cancelled"));
}

void CallLimits::Over() {
  if (over_) return;
  over_ = true;
  on_stop_.reset();
  timer_.Cancel();
  core_.calls.erase(this);
}

void CallLimits::OnDeadline() {
  const bool is_callers = deadline_ <= latest_end_;
  End(is_callers ? Because(ErrorKind::kDeadline, "the caller's deadline passed") : TimedOut("total"));
}

void CallLimits::End(FailedAttempt why) {
  if (over_) return;
  Over();
  end_(std::move(why));
}

}  // namespace igpt::internal
