#include "igpt/internal/call/retrying_request.h"

#include <algorithm>
#include <utility>

#include "absl/random/uniform_real_distribution.h"
#include "igpt/internal/base/monotonic.h"
#include "igpt/internal/policy/http_status.h"

namespace igpt::internal {
namespace {

absl::Status ToStatus(const FailedAttempt& failed) {
  return MakeStatus(failed.error, failed.message);
}

}  // namespace

RetryingRequest::RetryingRequest(ClientCore& core, const Route& route, std::string body, bool event_stream,
                                 const std::string& user, CallOptions options, Receiver& receiver)
    : core_(core),
      route_(route),
      body_(std::move(body)),
      event_stream_(event_stream),
      options_(std::move(options)),
      who_(core.WhoOf(user, options_)),
      receiver_(receiver),
      started_at_(MonotonicTime::Now()),
      retry_timer_(core.loop, [this] { StartAttempt(); }),
      deadline_timer_(core.loop, [this] { OnDeadline(); }),
      self_(std::make_shared<RetryingRequest*>(this)) {
  core_.requests.insert(this);
}

RetryingRequest::~RetryingRequest() {
  if (!ended_) core_.requests.erase(this);  // one that has ended may outlive the core
}

void RetryingRequest::Start() {
  if (core_.closing) return End(MakeStatus(ErrorKind::kAborted, "the client is closing"));
  if (options_.stop.stop_possible()) {
    // From any thread, and at once if somebody has asked for it already.
    on_stop_.emplace(options_.stop, [&loop = core_.loop, weak = std::weak_ptr<RetryingRequest*>(self_)] {
      loop.Post([weak] {
        if (const std::shared_ptr<RetryingRequest*> strong = weak.lock()) (*strong)->Cancel();
      });
    });
  }
  const absl::Duration until_deadline = options_.deadline - MonotonicTime::Now();
  deadline_is_callers_ = until_deadline <= core_.options.max_call_duration;
  if (until_deadline <= absl::ZeroDuration()) return OnDeadline();
  deadline_timer_.Arm(std::min(until_deadline, core_.options.max_call_duration));
  if (absl::Status may_send = MaySend(); !may_send.ok()) return End(std::move(may_send));
  core_.retry_budget.OnRequest();
  StartAttempt();
}

void RetryingRequest::StartAttempt() {
  earlier_attempts_ = attempts();
  const Attempt::Request request = {
      .route = route_, .options = options_, .body = body_, .event_stream = event_stream_, .who = who_};
  attempt_.emplace(core_, request, /*retry=*/earlier_attempts_ > 0, core_.options.max_retries - earlier_attempts_,
                   *this);
  CountAttempts();
  attempt_->Start();
}

int RetryingRequest::attempts() const {
  return earlier_attempts_ + (attempt_.has_value() ? attempt_->sends() : 0);
}

void RetryingRequest::CountAttempts() const {
  if (options_.attempts != nullptr) *options_.attempts = attempts();
}

double RetryingRequest::Random() {
  return absl::uniform_real_distribution<double>(0, 1)(core_.random);
}

absl::Status RetryingRequest::MaySend() {
  return core_.throttle.Admit(who_, MonotonicNanos(), Random());
}

BodyReceiver& RetryingRequest::OnAnswer(const ResponseHead& head) {
  CountAttempts();  // libcurl may have sent it more than once
  receiver_.OnStart(head);
  return receiver_;
}

void RetryingRequest::OnDone(absl::Status status) {
  CountAttempts();
  End(std::move(status));
}

void RetryingRequest::OnFailed(FailedAttempt failed) {
  CountAttempts();
  failed.error.attempts = attempts();
  const std::optional<absl::Duration> delay = DelayAfter(failed);
  if (delay.has_value() && MaySend().ok()) return retry_timer_.Arm(*delay);
  End(ToStatus(failed));
}

std::optional<absl::Duration> RetryingRequest::DelayAfter(const FailedAttempt& failed) {
  if (!receiver_.MayRepeat()) return std::nullopt;
  const RetryRules rules = {.max_attempts = core_.options.max_retries,
                            .backoff_base = core_.options.backoff_base,
                            .backoff_factor = core_.options.backoff_factor,
                            .idempotent = route_.effect == Effect::kReads};
  const MonotonicTime end = std::min(options_.deadline, started_at_ + core_.options.max_call_duration);
  return NextDelay(rules, failed, end - MonotonicTime::Now(), Random(), core_.retry_budget);
}

void RetryingRequest::OnDeadline() {
  FailedAttempt failed = TimedOut("total");
  if (deadline_is_callers_) {
    failed.error = {.kind = ErrorKind::kDeadline};
    failed.message = "the caller's deadline passed";
  }
  failed.error.attempts = attempts();
  Abort(failed);
}

void RetryingRequest::Cancel() {
  if (ended_) return;
  FailedAttempt cancelled;
  cancelled.error.kind = ErrorKind::kAborted;
  cancelled.message = "the caller cancelled";
  Abort(cancelled);
}

void RetryingRequest::Abort(const FailedAttempt& why) {
  if (attempt_.has_value()) {
    CountAttempts();
    attempt_->Abort(why.error.kind);
  }
  End(ToStatus(why));
}

void RetryingRequest::Pause() {
  if (attempt_.has_value()) attempt_->Pause();
}

void RetryingRequest::Resume() {
  if (attempt_.has_value()) attempt_->Resume();
}

void RetryingRequest::WillNotRepeat() {
  if (attempt_->RequestSentWhole()) std::string().swap(body_);
}

void RetryingRequest::End(absl::Status status) {
  ended_ = true;
  on_stop_.reset();
  retry_timer_.Cancel();
  deadline_timer_.Cancel();
  core_.requests.erase(this);
  core_.loop.Defer([weak = std::weak_ptr<RetryingRequest*>(self_), status = std::move(status)]() mutable {
    if (const std::shared_ptr<RetryingRequest*> strong = weak.lock()) {
      (*strong)->receiver_.OnEnd(std::move(status));
    }
  });
}

}  // namespace igpt::internal
