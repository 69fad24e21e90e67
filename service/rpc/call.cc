#include "service/rpc/call.h"

#include <grpc/grpc.h>

#include <algorithm>
#include <utility>

#include "igpt/error.h"
#include "service/rpc/request_id.h"

namespace igptd::rpc {
namespace {

// How long the last write of a call that is to stop may take. One that the reader has made room for takes no time.
constexpr absl::Duration kLastWrite = absl::Milliseconds(100);

// What frames, and what comes back to acknowledge an answer, may take of a call.
constexpr size_t kFrameBytes = 1024;

}  // namespace

CallStatus CancelledByCaller() {
  return ToCallStatus(igpt::MakeStatus(igpt::ErrorKind::kAborted, "the caller cancelled"), KeyOwner::kIgptd);
}

ServerCall::ServerCall(Loop& loop, const CallEnvironment& environment, std::string_view method, CallObserver* observer)
    : loop_(loop),
      environment_(environment),
      observer_(observer),
      stall_timer_(loop.events(), [this] { OnStallTimer(); }) {
  record_.method = method;
  context_.AsyncNotifyWhenDone(&done_tag_);
}

absl::Time ServerCall::deadline() const {
  const auto deadline = context_.deadline();
  return deadline == std::chrono::system_clock::time_point::max() ? absl::InfiniteFuture() : absl::FromChrono(deadline);
}

void ServerCall::Run() {
  started_at_ = absl::Now();
  if (observer_ != nullptr) observer_->OnAccepted();
  loop_.events().Post([this] {
    if (observer_ != nullptr) observer_->OnStarted(absl::Now() - started_at_);
    loop_.Started(/*soon=*/false);  // the done tag; it may even have come already
    if (!environment_.background) loop_.calls().insert(this);
    peer_ = context_.peer();
    connection_ = loop_.FindConnection(peer_);
    if (connection_ != nullptr) {
      connection_->Claim(kFrameBytes + RequestBytes() + std::min(MetadataBytes(), kMaxMetadataBytes));
    }
    record_.request_id = RequestIdOf(context_);
    record_.trace = TraceContextOf(context_);
    running_ = true;
    Handle();
  });
}

std::optional<CallStatus> ServerCall::EndBeforeItBegins() {
  if (stopping_) return CancelledByCaller();
  if (MetadataBytes() > kMaxMetadataBytes) return ToCallStatus(Refusal::kMetadataTooLarge);
  return environment_.admit == nullptr ? std::nullopt : environment_.admit(*this);
}

size_t ServerCall::MetadataBytes() const {
  constexpr size_t kEntryBytes = 32;
  size_t bytes = 0;
  for (const auto& [name, value] : context_.client_metadata()) bytes += name.size() + value.size() + kEntryBytes;
  return bytes;
}

void ServerCall::OnStop(absl::AnyInvocable<void()> stop) {
  if (stopping_) return stop();
  stop_ = std::move(stop);
}

void ServerCall::Stop(std::optional<Refusal> refusal) {
  if (stopping_ || finishing_) return;
  stopping_ = true;
  refusal_ = refusal;
  if (writing_ && refusal.has_value()) stall_timer_.Arm(kLastWrite);
  if (stop_ != nullptr) std::exchange(stop_, nullptr)();
}

// At its deadline a caller cancels the call, by its own clock and before ours: callers round what they send of it up.
bool ServerCall::DeadlinePassed() const {
  constexpr absl::Duration kSlack = absl::Milliseconds(20);
  constexpr double kRounding = 0.01;
  const absl::Time limit = deadline();
  return limit != absl::InfiniteFuture() && limit - absl::Now() <= kSlack + kRounding * (limit - started_at_);
}

void ServerCall::CountMessage(bool is_event, size_t bytes) {
  message_at_ = absl::Now();
  if (!sent_) {
    sent_ = true;
    context_.AddInitialMetadata(std::string(kRequestIdKey), record_.request_id);
  }
  if (is_event) {
    const bool first = record_.events++ == 0;
    const absl::Duration after = message_at_ - (first ? started_at_ : event_at_);
    if (first) record_.first_event = after;
    if (observer_ != nullptr) observer_->OnEvent(first, after);
    event_at_ = message_at_;
  }
  record_.bytes += static_cast<int64_t>(bytes);
}

void ServerCall::WriteStarts() {
  writing_ = true;
  write_turn_ = loop_.turn();
  if (!stall_timer_.armed()) stall_timer_.Arm(environment_.stalled_reader_timeout);
  loop_.Started(/*soon=*/true);
  if (connection_ != nullptr) loop_.Cork(connection_);
}

void ServerCall::WriteEnds() {
  writing_ = false;
  // What is written within the turn waited for nobody.
  if (loop_.turn() != write_turn_) record_.waited += absl::Now() - message_at_;
  loop_.SoonCompleted();
}

// Set once and not per write: when it fires, it looks how long the write that is pending has been so.
void ServerCall::OnStallTimer() {
  if (stopping_) return AbandonWrite();
  const absl::Duration limit = environment_.stalled_reader_timeout;
  const absl::Duration stalled = writing_ ? absl::Now() - message_at_ : absl::ZeroDuration();
  if (stalled >= limit) return Stop(Refusal::kSlowConsumer);
  stall_timer_.Arm(limit - stalled);
}

// The write waits for a reader that may never come: only gRPC can end it. The trailers that it sends then hold the code
// and the message, but no details.
void ServerCall::AbandonWrite() {
  if (!writing_ || !refusal_.has_value()) return;
  const grpc::Status status = ToCallStatus(*refusal_).status;
  grpc_call_cancel_with_status(context_.c_call(), static_cast<grpc_status_code>(status.error_code()),
                               status.error_message().c_str(), nullptr);
}

grpc::Status ServerCall::FinishStarts(CallStatus status) {
  finishing_ = true;
  stop_ = nullptr;
  stall_timer_.Cancel();
  permit_.Finishing();  // before the caller knows: it may start its next call at once
  if (!status.status.ok() && refusal_.has_value()) {
    status = ToCallStatus(*refusal_, {.events_delivered = record_.events, .retry_after = std::nullopt});
  } else if (!status.status.ok() && stopping_ && DeadlinePassed()) {
    // gRPC ends a call at its deadline as it ends a cancelled one.
    igpt::Error error;
    error.kind = igpt::ErrorKind::kDeadline;
    error.events_delivered = record_.events;
    status = ToCallStatus(igpt::MakeStatus(error, "the caller's deadline passed"), KeyOwner::kIgptd);
  }
  // Initial metadata of its own would make an early error more than a Trailers-Only response.
  if (!sent_) context_.AddTrailingMetadata(std::string(kRequestIdKey), record_.request_id);
  record_.code = status.status.error_code();
  record_.reason = status.reason;
  record_.duration = absl::Now() - started_at_;
  if (observer_ != nullptr) observer_->OnEnding(record_);
  loop_.Started(/*soon=*/true);
  if (!done_) loop_.ExpectSoon();  // the done tag comes with it
  if (connection_ != nullptr) loop_.Cork(connection_);
  return status.status;
}

void ServerCall::OnFinished(bool /*ok*/) {
  loop_.SoonCompleted();
  environment_.on_finished(record_);  // only now: the caller doesn't wait for it
  finished_ = true;
  ReleaseWhenOver();
}

void ServerCall::OnDone(bool /*ok*/) {
  done_ = true;
  if (finishing_) loop_.SoonCompleted();
  if (context_.IsCancelled()) Stop(std::nullopt);
  ReleaseWhenOver();
}

void ServerCall::ReleaseWhenOver() {
  if (!running_ || !finished_ || !done_) return;
  loop_.calls().erase(this);
  delete this;
}

}  // namespace igptd::rpc
