#include "service/rpc/call.h"

#include <grpc/grpc.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "service/rpc/metadata.h"

namespace igptd::rpc {
namespace {

// How long the last write of a call that is to stop may take. One that the reader has made room for takes no time.
constexpr absl::Duration kLastWrite = absl::Milliseconds(100);

// What frames, and what comes back to acknowledge an answer, may take of a call.
constexpr size_t kFrameBytes = 1024;

}  // namespace

Call::Call(Loop& loop, const CallEnvironment& environment, std::string_view method, CallObserver* observer)
    : loop_(loop),
      environment_(environment),
      recorder_(method, observer),
      stall_timer_(loop.events(), [this] { OnStallTimer(); }),
      last_write_timer_(loop.events(), [this] { AbandonWrite(); }) {
  context_.AsyncNotifyWhenDone(&done_tag_);
}

absl::Time Call::deadline() const {
  const auto deadline = context_.deadline();
  return deadline == std::chrono::system_clock::time_point::max() ? absl::InfiniteFuture() : absl::FromChrono(deadline);
}

void Call::Run() {
  recorder_.Accepted();
  loop_.events().Post([this] {
    recorder_.Started();
    loop_.Started(/*soon=*/false);  // the done tag; it may even have come already
    if (!environment_.background) loop_.calls().insert(this);
    peer_ = context_.peer();
    connection_ = loop_.FindConnection(peer_);
    if (connection_ != nullptr) {
      connection_->Claim(kFrameBytes + RequestBytes() + std::min(MetadataBytes(context_), kMaxMetadataBytes));
    }
    record().request_id = RequestIdOf(context_);
    record().trace = ContinueTrace(ValuesOf(context_, "traceparent"), ValuesOf(context_, "tracestate"));
    state_ = State::kHandled;
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
  // gRPC itself ends the write of a caller that went away.
  if (write_turn_.has_value() && cause == StopCause::kRefusal) last_write_timer_.Arm(kLastWrite);
  if (on_stop_ != nullptr) std::exchange(on_stop_, nullptr)();
}

// At its deadline a caller cancels the call, by its own clock and before ours: callers round what they send of it up.
bool Call::AtDeadline() const {
  constexpr absl::Duration kSlack = absl::Milliseconds(20);
  constexpr double kRounding = 0.01;
  const absl::Time limit = deadline();
  return limit != absl::InfiniteFuture() &&
         limit - absl::Now() <= kSlack + kRounding * (limit - recorder_.accepted_at());
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

void Call::WriteEnds() {
  // What is written within the turn waited for nobody.
  if (loop_.turn() != std::exchange(write_turn_, std::nullopt)) recorder_.WaitedForCaller();
  loop_.SoonCompleted();
}

// Set once and not per write: when it fires, it looks how long the write that is pending has been so.
void Call::OnStallTimer() {
  if (stopping()) return;
  const absl::Duration limit = environment_.stalled_reader_timeout;
  const absl::Duration stalled = write_turn_.has_value() ? recorder_.SinceSending() : absl::ZeroDuration();
  if (stalled >= limit) return Stop(Refusal::kSlowConsumer);
  stall_timer_.Arm(limit - stalled);
}

// The write waits for a reader that may never come: only gRPC can end it. The trailers that it sends then hold the code
// and the message, but no details.
void Call::AbandonWrite() {
  if (!write_turn_.has_value()) return;
  const grpc::Status status = ToCallStatus(refusal_).status;
  grpc_call_cancel_with_status(context_.c_call(), static_cast<grpc_status_code>(status.error_code()),
                               status.error_message().c_str(), nullptr);
}

grpc::Status Call::FinishStarts(CallStatus status) {
  state_ = State::kFinishing;
  on_stop_ = nullptr;
  stall_timer_.Cancel();
  last_write_timer_.Cancel();
  if (ticket_ != nullptr) ticket_->OnFinishing();  // before the caller knows
  if (!status.status.ok() && stop_ == StopCause::kRefusal) {
    status = ToCallStatus(refusal_, {.events_delivered = record().events, .retry_after = std::nullopt});
  } else if (!status.status.ok() && stop_ == StopCause::kCallerWentAway && AtDeadline()) {
    // gRPC ends a call at its deadline as it ends a cancelled one.
    status = DeadlinePassed(record().events);
  }
  // Initial metadata of its own would make an early error more than a Trailers-Only response.
  if (!sent()) context_.AddTrailingMetadata(std::string(kRequestIdKey), record().request_id);
  if (status.pushback.has_value()) {
    context_.AddTrailingMetadata("grpc-retry-pushback-ms", std::to_string(absl::ToInt64Milliseconds(*status.pushback)));
  }
  recorder_.Ending(status);
  loop_.Started(/*soon=*/true);
  if (!done_) loop_.ExpectSoon();  // the done tag comes with it
  if (connection_ != nullptr) loop_.Cork(connection_);
  return status.status;
}

void Call::OnFinished(bool /*ok*/) {
  loop_.SoonCompleted();
  if (environment_.on_finished) environment_.on_finished(record());  // only now: the caller doesn't wait for it
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
