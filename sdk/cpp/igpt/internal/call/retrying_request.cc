#include "igpt/internal/call/retrying_request.h"

#include <utility>

#include "absl/random/uniform_real_distribution.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "igpt/internal/base/monotonic.h"
#include "igpt/internal/base/string_view.h"
#include "igpt/internal/call/request_id.h"

namespace igpt::internal {
namespace {

// Says why there is no key, but nothing of the provider's own words: they could hold one.
absl::StatusOr<std::string> AskForKey(const std::function<absl::StatusOr<std::string>()>& provider) {
  try {
    absl::StatusOr<std::string> key = provider();
    if (!key.ok()) {
      return absl::UnknownError(
          absl::StrCat("the api_key_provider failed with ", absl::StatusCodeToString(key.status().code())));
    }
    if (ValidateApiKey(*key).ok()) return key;
    return absl::UnknownError("the api_key_provider gave a key that is empty or not visible ASCII");
  } catch (...) {
    return absl::UnknownError("the api_key_provider threw an exception");
  }
}

}  // namespace

RetryingRequest::RetryingRequest(ClientCore& core, const Route& route, std::string body, bool event_stream,
                                 const std::string& user, CallOptions options, Receiver& receiver)
    : core_(core),
      route_(route),
      body_(std::move(body)),
      event_stream_(event_stream),
      options_(WithRequestId(std::move(options), core.random)),
      who_(core.WhoOf(user, options_)),
      receiver_(receiver),
      started_at_(MonotonicTime::Now()),
      limits_(core, options_, [this](FailedAttempt why) { OnLimit(std::move(why)); }),
      place_(core.places,
             [this] {
               core_.loop.Defer([weak = std::weak_ptr<RetryingRequest*>(self_)] {
                 const std::shared_ptr<RetryingRequest*> strong = weak.lock();
                 if (strong != nullptr && !(*strong)->ended_) (*strong)->Begin();
               });
             }),
      retry_timer_(core.loop, [this] { StartAttempt(); }),
      self_(std::make_shared<RetryingRequest*>(this)) {
  info_.request_id = options_.request_id;
  info_.start_time = absl::Now();
}

void RetryingRequest::Start() {
  if (limits_.Start() && place_.Take()) Begin();
}

void RetryingRequest::Begin() {
  if (absl::Status may_send = MaySend(); !may_send.ok()) {
    held_back_ = true;
    End(std::move(may_send));
    return core_.NoteHeldBack();
  }
  core_.retry_budget.OnRequest();
  StartAttempt();
}

void RetryingRequest::StartAttempt() {
  absl::StatusOr<std::string> key = Key();
  if (ended_) return;  // the provider may have closed the client
  if (!key.ok()) return End(key.status());
  key_ = *std::move(key);
  earlier_attempts_ = attempts();
  const Attempt::Request request = {
      .route = route_, .options = options_, .key = key_, .body = body_, .event_stream = event_stream_, .who = who_};
  attempt_.emplace(core_, request, earlier_attempts_, core_.options.max_retries - earlier_attempts_, *this);
  info_.http_status = 0;
  info_.headers.Clear();
  info_.time_to_answer = absl::ZeroDuration();
  attempt_->Start();
}

absl::StatusOr<std::string> RetryingRequest::Key() const {
  if (!options_.api_key.empty()) return options_.api_key;
  if (core_.options.api_key_provider == nullptr) return core_.options.api_key;
  absl::StatusOr<std::string> key = AskForKey(core_.options.api_key_provider);
  if (key.ok()) return key;
  return MakeStatus(ErrorKind::kConfiguration, StdView(key.status().message()));
}

int RetryingRequest::attempts() const {
  return earlier_attempts_ + (attempt_.has_value() ? attempt_->sends() : 0);
}

CallInfo RetryingRequest::Info() const {
  CallInfo info = info_;
  info.attempts = attempts();
  if (!ended_) info.duration = MonotonicTime::Now() - started_at_;
  return info;
}

double RetryingRequest::Random() {
  return absl::uniform_real_distribution<double>(0, 1)(core_.random);
}

absl::Status RetryingRequest::MaySend() {
  return core_.throttle.Admit(who_, MonotonicNanos(), Random());
}

CallInfo RetryingRequest::TakeInfo() {
  info_.attempts = attempts();
  return std::move(info_);
}

void RetryingRequest::OnHead(const ResponseHead& head) {
  info_.http_status = head.status;
  info_.headers = head.headers;
  info_.time_to_answer = MonotonicTime::Now() - started_at_;
}

BodyReceiver& RetryingRequest::OnAnswer(const ResponseHead& head) {
  receiver_.OnStart(head);
  return receiver_;
}

void RetryingRequest::OnDone(absl::Status status) {
  End(std::move(status));
}

void RetryingRequest::OnFailed(FailedAttempt failed) {
  failed.error.call.attempts = attempts();
  const std::optional<absl::Duration> delay = DelayAfter(failed);
  const bool may_repeat = delay.has_value();
  if (may_repeat && MaySend().ok()) {
    retry_timer_.Arm(*delay);
    return NoteRetry(failed, *delay);
  }
  End(MakeStatus(failed.error, failed.message));
  if (may_repeat) core_.NoteHeldBack();
}

void RetryingRequest::NoteRetry(const FailedAttempt& failed, absl::Duration delay) const {
  if (!core_.log->wanted()) return;
  const std::string status =
      failed.error.call.http_status == 0 ? "" : absl::StrCat(", HTTP ", failed.error.call.http_status);
  core_.log->Note(absl::StrCat(AbslView(route_.name()), " failed (", AbslView(ErrorKindName(failed.error.kind)), status,
                               "); attempt ", attempts() + 1, " of ", core_.options.max_retries, " follows in ",
                               absl::FormatDuration(absl::Ceil(delay, absl::Milliseconds(1)))));
}

std::optional<absl::Duration> RetryingRequest::DelayAfter(const FailedAttempt& failed) {
  if (!receiver_.MayRepeat()) return std::nullopt;
  const RetryRules rules = {.max_attempts = core_.options.max_retries,
                            .backoff_base = core_.options.backoff_base,
                            .backoff_factor = core_.options.backoff_factor,
                            .idempotent = route_.effect == Effect::kReads};
  return NextDelay(rules, failed, limits_.Left(), Random(), core_.retry_budget);
}

void RetryingRequest::OnLimit(FailedAttempt why) {
  if (attempt_.has_value()) attempt_->Abort(why.error.kind);
  if (place_.waiting() && why.error.kind != ErrorKind::kAborted) {
    absl::StrAppend(&why.message, "; the call was still waiting for its turn, as max_calls_in_flight others ran");
  }
  End(MakeStatus(why.error, why.message));
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
  info_.duration = MonotonicTime::Now() - started_at_;
  ended_ = true;
  limits_.Over();
  retry_timer_.Cancel();
  core_.loop.Defer([weak = std::weak_ptr<RetryingRequest*>(self_), status = std::move(status)]() mutable {
    if (const std::shared_ptr<RetryingRequest*> strong = weak.lock()) {
      (*strong)->receiver_.OnEnd(std::move(status));
    }
  });
  place_.Leave();
}

}  // namespace igpt::internal
