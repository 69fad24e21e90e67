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

// How long after the call began a request is late, and how long it may take: 4 MiB at 1.7 Mbit/s.
constexpr absl::Duration kLate = absl::Milliseconds(200);
constexpr absl::Duration kRequestLimit = absl::Seconds(20);

// How long after it the end of a call may be reported.
constexpr absl::Duration kEndLimit = absl::Milliseconds(50);

// What may arrive of a request before it is received: the window of a new stream.
constexpr size_t kWindowBytes = 64 << 10;

}  // namespace

Call::Call(std::unique_ptr<IncomingCall> incoming, const CallEnvironment& environment, std::string_view method,
           CallObserver* observer)
    : incoming_(std::move(incoming)),
      loop_(incoming_->loop()),
      environment_(environment),
      peer_(incoming_->context().peer()),
      recorder_(method, observer),
      stall_timer_(loop_.events(), [this] { OnStallTimer(); }),
      last_write_timer_(loop_.events(), [this] { OnLastWriteTimer(); }),
      deadline_timer_(loop_.events(), [this] { BeginStop(StopCause::kDeadline); }) {}

Call::~Call() = default;

void Call::Start() {
  recorder_.Started(incoming_->accepted_at());
  loop_.Started(/*soon=*/false);  // the tag of its end, which may even have come already
  if (!environment_.background) loop_.calls().insert(this);
  Claim(kFrameBytes + std::min(MetadataBytes(context()), kMaxMetadataBytes));
  record().request_id = RequestIdOf(context());
  record().trace = ContinueTrace(ValuesOf(context(), "traceparent"), ValuesOf(context(), "tracestate"));
  if (environment_.on_started) environment_.on_started(*this);
  deadline_timer_.Arm(deadline() - MonotonicTime::Now());
  incoming_->OnOver([this] { OnOver(); });
  if (incoming_->over()) {
    // Reset before anybody looked at it. What its caller gives up later, or at its deadline, is its right.
    if (connection() != nullptr && !AtDeadline()) connection()->Offend();
    OnOver();
  }
  if (std::optional<CallStatus> end = environment_.enter(*this)) return Finish(*std::move(end));
  state_ = State::kHandled;
  Handle();
}

void Call::Claim(size_t bytes) {
  if (connection() != nullptr) connection()->Claim(bytes);
}

void Call::ReceiveRequest() {
  state_ = State::kArriving;
  if (connection() != nullptr) ++connection()->calls().arriving;
  stall_timer_.Arm(kLate);
  OnStop([this] {
    loop_.events().Defer([this] {
      if (state_ == State::kArriving) Finish(CancelledByCaller());
    });
  });
  place_.Enter(loop_.receiving(), ticket_->holder(), [this] { ReadRequest(); });
}

void Call::ReadRequest() {
  receives_ = true;
  if (connection() != nullptr) ++connection()->calls().receiving;
  StartRead(/*soon=*/true);
}

void Call::StartRead(bool soon) {
  reading_ = true;
  read_soon_ = soon;
  loop_.Started(soon);
  incoming_->stream().Read(&request_bytes_, &read_tag_);
}

void Call::OnReadTag(bool ok) {
  reading_ = false;
  if (read_soon_) loop_.SoonCompleted();
  grpc::ByteBuffer bytes;
  bytes.Swap(&request_bytes_);
  if (state_ < State::kFinishing) return OnRead(ok, bytes);
  ReleaseWhenOver();
}

void Call::OnRead(bool ok, const grpc::ByteBuffer& bytes) {
  if (ok) Claim(bytes.Length());
  RequestOver();
  if (stopping()) return;  // it is about to be finished
  if (!ok) {
    // Either its caller sends no message, or gRPC has ended the call and is about to say so.
    no_request_ = true;
    stall_timer_.Arm(kEndLimit);
    return;
  }
  stall_timer_.Cancel();
  on_stop_ = nullptr;
  state_ = State::kHandled;
  if (ticket_ != nullptr) ticket_->OnRequest();
  if (bytes.Length() > kMaxRequestBytes) return Finish(ToCallStatus(Refusal::kRequestTooLarge));
  const absl::Status parsed = ParseRequest(bytes);
  if (!parsed.ok()) return Finish(ToCallStatus(parsed, KeyOwner::kIgptd));
  if (std::optional<CallStatus> end = environment_.check_request(*this)) return Finish(*std::move(end));
  OnRequest();
}

// Gives the place to the next request.
void Call::RequestOver() {
  place_.Leave();
  if (connection() == nullptr) return;
  --connection()->calls().arriving;
  if (std::exchange(receives_, false)) --connection()->calls().receiving;
}

// Not context_.deadline(): that is by the wall clock, and wraps beyond the year 2262.
MonotonicTime Call::deadline() const {
  const gpr_timespec deadline = incoming_->context().raw_deadline();
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) return MonotonicTime::InfiniteFuture();
  const gpr_timespec left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
  return MonotonicTime::Now() + absl::Seconds(left.tv_sec) + absl::Nanoseconds(left.tv_nsec);
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
  if (!recorder_.sent()) incoming_->context().AddInitialMetadata(std::string(kRequestIdKey), record().request_id);
  recorder_.Sending(is_event, bytes);
}

void Call::WriteStarts() {
  write_turn_ = loop_.turn();
  if (!stall_timer_.armed()) stall_timer_.Arm(environment_.stalled_reader_timeout);
  loop_.Started(/*soon=*/true);
  if (connection() != nullptr) loop_.Cork(incoming_->connection());
}

void Call::OnWrittenTag(bool ok) {
  if (!ok) cut_off_ = true;
  // A write that completes within its turn did not wait for the caller.
  if (loop_.turn() != std::exchange(write_turn_, std::nullopt)) recorder_.WaitedForCaller();
  loop_.SoonCompleted();
  OnWritten(ok);
}

// For writes it is armed once, not for each: when it fires, it checks how long the current write has been pending.
void Call::OnStallTimer() {
  if (stopping()) return;
  if (state_ == State::kArriving) return OnRequestTimer();
  const absl::Duration limit = environment_.stalled_reader_timeout;
  const absl::Duration stalled = write_turn_.has_value() ? recorder_.SinceSending() : absl::ZeroDuration();
  if (stalled >= limit) return Stop(Refusal::kSlowConsumer);
  stall_timer_.Arm(limit - stalled);
}

void Call::OnRequestTimer() {
  if (no_request_) return Stop(Refusal::kNoRequest);
  if (std::exchange(late_, true)) return Stop(Refusal::kRequestTooSlow);
  if (std::optional<CallStatus> end = environment_.await_request(*this)) return Finish(*std::move(end));
  stall_timer_.Arm(kRequestLimit - kLate);
}

void Call::OnLastWriteTimer() {
  if (write_turn_.has_value()) Abandon();
}

void Call::Abandon() {
  if (over_) return;  // gRPC has ended it
  cut_off_ = true;
  const grpc::Status status = StatusOfStop(CancelledByCaller()).status;
  grpc_call_cancel_with_status(incoming_->context().c_call(), static_cast<grpc_status_code>(status.error_code()),
                               status.error_message().c_str(), nullptr);
}

CallStatus Call::DeadlineStatus() const {
  return DeadlinePassed(record().events, record().attempts);
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

void Call::Finish(CallStatus end) {
  const std::optional<grpc::Status> status = FinishStarts(std::move(end));
  if (status.has_value()) incoming_->stream().Finish(*status, &finished_tag_);
}

std::optional<grpc::Status> Call::FinishStarts(CallStatus status) {
  if (state_ == State::kArriving) {
    // What has arrived of the request, or is on its way, belongs to this call.
    Claim(receives_ ? kMaxRequestBytes : kWindowBytes);
    if (place_.entered()) RequestOver();
  }
  state_ = State::kFinishing;
  on_stop_ = nullptr;
  stall_timer_.Cancel();
  last_write_timer_.Cancel();
  deadline_timer_.Cancel();
  if (ticket_ != nullptr) ticket_->OnFinishing();  // before the caller learns of it
  const bool over = cut_off_ || (over_ && context().IsCancelled());
  if (over && status.status.ok()) status = CancelledByCaller();
  if (!status.status.ok()) status = StatusOfStop(std::move(status));
  recorder_.Ending(status);
  if (!over_) loop_.ExpectSoon();  // the tag of the end comes with the status
  if (over) {
    loop_.events().Defer([this] { End(); });  // the handler may still use the call
    return std::nullopt;
  }
  grpc::GenericServerContext& context = incoming_->context();
  // With initial metadata, an early error would be more than a Trailers-Only response.
  if (!recorder_.sent()) context.AddTrailingMetadata(std::string(kRequestIdKey), record().request_id);
  if (status.pushback.has_value()) {
    const bool never = *status.pushback == absl::InfiniteDuration();
    const int64_t milliseconds = never ? -1 : absl::ToInt64Milliseconds(*status.pushback);
    context.AddTrailingMetadata("grpc-retry-pushback-ms", std::to_string(milliseconds));
  }
  loop_.Started(/*soon=*/true);
  if (connection() != nullptr) loop_.Cork(incoming_->connection());
  return status.status;
}

void Call::OnFinishedTag(bool /*ok*/) {
  loop_.SoonCompleted();
  End();
}

void Call::End() {
  if (environment_.on_finished) environment_.on_finished(record());  // only now, so that the caller doesn't wait for it
  state_ = State::kFinished;
  ReleaseWhenOver();
}

void Call::OnOver() {
  over_ = true;
  if (state_ >= State::kFinishing) loop_.SoonCompleted();
  if (context().IsCancelled()) Cancel();
  ReleaseWhenOver();
}

void Call::ReleaseWhenOver() {
  if (state_ != State::kFinished || !over_ || reading_) return;
  loop_.calls().erase(this);
  delete this;
}

}  // namespace igptd::rpc
