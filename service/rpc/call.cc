#include "service/rpc/call.h"

#include <grpc/grpc.h>
#include <grpc/support/time.h>

#include <algorithm>
#include <utility>

#include "service/rpc/metadata.h"

namespace igptd::rpc {

using igpt::MonotonicTime;

namespace {

// How long the last write may take once the call has to stop. If the reader has made room, it takes no time.
constexpr absl::Duration kLastWrite = absl::Milliseconds(100);

// An allowance per call for frames, and for what the caller sends to acknowledge the answer.
constexpr size_t kFrameBytes = 1024;

}  // namespace

Call::Call(Loop& loop, const CallEnvironment& environment, std::string_view method, CallObserver* observer)
    : loop_(loop),
      environment_(environment),
      recorder_(method, observer),
      stall_timer_(loop.events(), [this] { OnStallTimer(); }),
      last_write_timer_(loop.events(), [this] { OnLastWriteTimer(); }),
      deadline_timer_(loop.events(), [this] { BeginStop(StopCause::kDeadline); }) {
  context_.AsyncNotifyWhenDone(&done_tag_);
}

// Not context_.deadline(): that is by the wall clock, and wraps beyond the year 2262.
MonotonicTime Call::deadline() const {
  const gpr_timespec deadline = context_.raw_deadline();
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) return MonotonicTime::InfiniteFuture();
  const gpr_timespec left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
  return MonotonicTime::Now() + absl::Seconds(left.tv_sec) + absl::Nanoseconds(left.tv_nsec);
}

void Call::Run() {
  recorder_.Accepted();
  loop_.events().Post([this] {
    recorder_.Started();
    loop_.Started(/*soon=*/false);  // the done tag, which may even have come already
    if (!environment_.background) loop_.calls().insert(this);
    peer_ = context_.peer();
    connection_ = loop_.FindConnection(peer_);
    if (connection_ != nullptr) {
      connection_->Claim(kFrameBytes + RequestBytes() + std::min(MetadataBytes(context_), kMaxMetadataBytes));
    }
    record().request_id = RequestIdOf(context_);
    record().trace = ContinueTrace(ValuesOf(context_, "traceparent"), ValuesOf(context_, "tracestate"));
    state_ = State::kHandled;
    deadline_timer_.Arm(deadline() - MonotonicTime::Now());
    Handle();
  });
}

void Call::OnStop(absl::AnyInvocable<void()> stop) {
  if (stopping()) return stop();
  on_stop_ = std::move(stop);
}

void Call::Cancel() {
  BeginStop(StopCause::kCallerWentAway);
}

void Call::Stop(Refusal refusal) {
  if (!stopping()) refusal_ = refusal;
  BeginStop(StopCause::kRefusal);
}

void Call::BeginStop(StopCause cause) {
  if (stopping() || state_ >= State::kFinishing) return;
  stop_ = cause;
  // If the caller has gone, gRPC itself ends the write.
  if (write_turn_.has_value() && cause == StopCause::kRefusal) last_write_timer_.Arm(kLastWrite);
  if (write_turn_.has_value() && cause == StopCause::kDeadline) Abandon();
  if (on_stop_ != nullptr) std::exchange(on_stop_, nullptr)();
}

// A caller cancels at its deadline by its own clock, which is before ours, since it rounds the timeout that it sends
// up.
bool Call::AtDeadline() const {
  constexpr absl::Duration kSlack = absl::Milliseconds(20);
  constexpr double kRounding = 0.01;
  const MonotonicTime limit = deadline();
  return limit != MonotonicTime::InfiniteFuture() &&
         limit - MonotonicTime::Now() <= kSlack + kRounding * (limit - recorder_.accepted_at());
}

void Call::CountMessage(bool is_event, size_t bytes) {
  if (!recorder_.sent()) context_.AddInitialMetadata(std::string(kRequestIdKey), record().request_id);
  recorder_.Sending(is_event, bytes);
}

void Call::WriteStarts() {
  write_turn_ = loop_.turn();
  if (!stall_timer_.armed()) stall_timer_.Arm(environment_.stalled_reader_timeout);
  loop_.Started(/*soon=*/true);
  if (connection_ != nullptr) loop_.Cork(connection_);
}

void Call::WriteEnds(bool ok) {
  if (!ok) cut_off_ = true;
  // A write that completes within its turn did not wait for the caller.
  if (loop_.turn() != std::exchange(write_turn_, std::nullopt)) recorder_.WaitedForCaller();
  loop_.SoonCompleted();
}

// Armed once, not for each write: when it fires, it checks how long the current write has been pending.
void Call::OnStallTimer() {
  if (stopping()) return;
  const absl::Duration limit = environment_.stalled_reader_timeout;
  const absl::Duration stalled = write_turn_.has_value() ? recorder_.SinceSending() : absl::ZeroDuration();
  if (stalled >= limit) return Stop(Refusal::kSlowConsumer);
  stall_timer_.Arm(limit - stalled);
}

void Call::OnLastWriteTimer() {
  if (write_turn_.has_value()) Abandon();
}

void Call::Abandon() {
  if (done_) return;  // gRPC has ended it
  cut_off_ = true;
  const grpc::Status status = StatusOfStop(CancelledByCaller()).status;
  grpc_call_cancel_with_status(context_.c_call(), static_cast<grpc_status_code>(status.error_code()),
                               status.error_message().c_str(), nullptr);
}

CallStatus Call::DeadlineStatus() const {
  return DeadlinePassed(record().events, record().attempts == nullptr ? 0 : *record().attempts);
}

CallStatus Call::StatusOfStop(CallStatus status) const {
  switch (stop_) {
    case StopCause::kNone:
      return status;
    case StopCause::kRefusal:
      return ToCallStatus(refusal_, {.events_delivered = record().events, .retry_after = std::nullopt});
    case StopCause::kDeadline:
      return DeadlineStatus();
    case StopCause::kCallerWentAway:
      return AtDeadline() ? DeadlineStatus() : status;
  }
  return status;
}

std::optional<grpc::Status> Call::FinishStarts(CallStatus status) {
  state_ = State::kFinishing;
  on_stop_ = nullptr;
  stall_timer_.Cancel();
  last_write_timer_.Cancel();
  deadline_timer_.Cancel();
  if (ticket_ != nullptr) ticket_->OnFinishing();  // before the caller learns of it
  const bool over = cut_off_ || (done_ && context_.IsCancelled());
  if (over && status.status.ok()) status = CancelledByCaller();
  if (!status.status.ok()) status = StatusOfStop(std::move(status));
  recorder_.Ending(status);
  if (!done_) loop_.ExpectSoon();  // the done tag comes with the status
  if (over) {
    loop_.events().Defer([this] { End(); });  // the handler may still use the call
    return std::nullopt;
  }
  // With initial metadata, an early error would be more than a Trailers-Only response.
  if (!sent()) context_.AddTrailingMetadata(std::string(kRequestIdKey), record().request_id);
  if (status.pushback.has_value()) {
    const bool never = *status.pushback == absl::InfiniteDuration();
    const int64_t milliseconds = never ? -1 : absl::ToInt64Milliseconds(*status.pushback);
    context_.AddTrailingMetadata("grpc-retry-pushback-ms", std::to_string(milliseconds));
  }
  loop_.Started(/*soon=*/true);
  if (connection_ != nullptr) loop_.Cork(connection_);
  return status.status;
}

void Call::OnFinished(bool /*ok*/) {
  loop_.SoonCompleted();
  End();
}

void Call::End() {
  if (environment_.on_finished) environment_.on_finished(record());  // only now, so that the caller doesn't wait for it
  state_ = State::kFinished;
  ReleaseWhenOver();
}

void Call::OnDone(bool /*ok*/) {
  done_ = true;
  if (state_ >= State::kFinishing) loop_.SoonCompleted();
  if (context_.IsCancelled()) Cancel();
  ReleaseWhenOver();
}

void Call::ReleaseWhenOver() {
  if (state_ != State::kFinished || !done_) return;
  loop_.calls().erase(this);
  delete this;
}

}  // namespace igptd::rpc
