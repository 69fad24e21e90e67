#include "igpt/internal/http/http_call.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/random/uniform_real_distribution.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "igpt/internal/json/reader.h"
#include "igpt/internal/monotonic.h"
#include "igpt/internal/string_view.h"
#include "igpt/observer.h"

namespace igpt::internal {
namespace {

// How much is read from a connection at once. There can be ten thousands of streams, most of them waiting, and what
// comes on one at a time is little.
constexpr int kStreamBufferBytes = 4 << 10;
constexpr int kAnswerBufferBytes = 16 << 10;

// How much of an error's body is read, so that its connection can be used again.
constexpr size_t kMaxIgnoredBytes = 16 << 10;

// What all requests fail with while iGPT is down or out of reach. Not what it says of one of them, and not 429: that is
// the limit of a key or a user, and must not hold others back.
bool IsOutage(ErrorKind kind) {
  return kind == ErrorKind::kNetwork || kind == ErrorKind::kUnavailable || kind == ErrorKind::kTimeout;
}

// Authorize and Disconnect change something: they are sent again only when the first request never arrived.
bool IsIdempotent(Route route) {
  return route != Route::kAuthorize && route != Route::kDisconnect;
}

}  // namespace

absl::Status AnswerTooLarge(size_t limit) {
  return MakeStatus(ErrorKind::kTooLarge, absl::StrCat("iGPT's answer is over the limit of ", limit, " bytes"));
}

std::string RoomForBody(const ResponseHead& head) {
  constexpr size_t kMaxTrusted = 1 << 20;
  std::string body;
  if (head.content_length > 0) body.reserve(std::min(head.content_length, kMaxTrusted) + kJsonPadding);
  return body;
}

HttpCall::HttpCall(ClientCore& core, Route route, std::string body, bool event_stream, CallOptions options, Sink& sink)
    : core_(core),
      route_(route),
      body_(std::move(body)),
      event_stream_(event_stream),
      options_(std::move(options)),
      sink_(sink),
      started_at_(MonotonicNanos()),
      fresh_connection_(!IsIdempotent(route)),
      deadline_timer_(core.loop, [this] { OnDeadline(); }),
      progress_timer_(core.loop, [this] { OnProgressTimer(); }),
      self_(std::make_shared<HttpCall*>(this)) {
  core_.calls.insert(this);
}

HttpCall::~HttpCall() {
  if (!ended_) core_.calls.erase(this);  // a call that has ended may outlive the core
}

void HttpCall::Start() {
  if (core_.closing) return End(MakeStatus(ErrorKind::kAborted, "the client is closing"));
  const absl::Duration until_deadline = options_.deadline - absl::Now();
  caller_deadline_is_first_ = until_deadline <= core_.options.max_call_duration;
  if (until_deadline <= absl::ZeroDuration()) return OnDeadline();
  deadline_timer_.Arm(std::min(until_deadline, core_.options.max_call_duration));
  if (!MaySend()) return End(HeldBack());
  core_.retry_budget.OnRequest();
  StartAttempt();
}

bool HttpCall::MaySend() {
  return core_.throttle.Admit(MonotonicNanos(), absl::uniform_real_distribution<double>(0, 1)(core_.random));
}

// Nothing was sent, so there is no answer and there are no attempts to speak of; the kind is that of the outage.
absl::Status HttpCall::HeldBack() {
  constexpr absl::Duration kRetryAfter = absl::Seconds(1);
  const HeadVerdict& outage = core_.last_outage;
  Error error;
  error.kind = outage.failed.error.kind == ErrorKind::kNetwork ? ErrorKind::kNetwork : ErrorKind::kUnavailable;
  error.retry_after = kRetryAfter * absl::uniform_real_distribution<double>(1, 2)(core_.random);
  return MakeStatus(error, absl::StrCat("the request was held back, as most requests to iGPT fail now. The last one: ",
                                        outage.message));
}

void HttpCall::StartAttempt() {
  retrying_ = attempts_ > 0;
  unreported_ = true;
  ++attempts_;
  CountAttempts(0);
  verdict_.reset();
  body_status_ = absl::OkStatus();
  accepted_ = false;
  last_byte_at_ = 0;
  attempt_started_at_ = MonotonicNanos();
  if (core_.resolver == nullptr) return Send("");
  resolving_ = true;
  progress_timer_.Arm(core_.options.connect_timeout);
  core_.resolver->Resolve([weak = std::weak_ptr<HttpCall*>(self_), attempt = attempts_](const auto& entry) {
    const std::shared_ptr<HttpCall*> strong = weak.lock();
    if (strong == nullptr) return;
    HttpCall& call = **strong;
    if (call.ended_ || !call.resolving_ || call.attempts_ != attempt) return;  // cancelled, or timed out, meanwhile
    call.resolving_ = false;
    if (entry.ok()) return call.Send(*entry);
    HeadVerdict verdict;
    verdict.failed.transient = true;
    verdict.failed.reached = false;
    verdict.failed.error.kind = ErrorKind::kNetwork;
    verdict.message = absl::StrCat("the host name of the iGPT API could not be resolved: ", entry.status().message());
    call.OnAttemptFailed(std::move(verdict));
  });
}

void HttpCall::Send(std::string resolve_entry) {
  const std::string& key = options_.api_key.empty() ? core_.options.api_key : options_.api_key;
  Transfer::Request request;
  request.url = absl::StrCat(core_.base_url.url, "/", AbslView(RoutePath(route_)));
  request.headers = {
      absl::StrCat("Authorization: Bearer ", key),
      "Content-Type: application/json",
      absl::StrCat("Accept: ", event_stream_ ? "text/event-stream" : "application/json"),
      absl::StrCat("X-Client: ", core_.client_name),
  };
  for (const auto& [name, value] : options_.headers) request.headers.push_back(absl::StrCat(name, ": ", value));
  request.body = body_;
  request.resolve = std::move(resolve_entry);
  request.connect_timeout = std::max(
      absl::Milliseconds(1), core_.options.connect_timeout - absl::Nanoseconds(MonotonicNanos() - attempt_started_at_));
  request.ca_file = core_.options.ca_file;
  request.proxy = core_.options.proxy;
  request.fresh_connection = fresh_connection_;
  request.max_sends = core_.options.max_retries - attempts_ + 1;
  request.buffer_bytes = event_stream_ ? kStreamBufferBytes : kAnswerBufferBytes;
  transfer_ = std::make_unique<Transfer>(core_.loop.curl(), std::move(request), *this);
  progress_timer_.Arm(core_.options.first_byte_timeout);
}

void HttpCall::CountAttempts(int repeated_by_curl) const {
  if (options_.attempts != nullptr) *options_.attempts = attempts_ + repeated_by_curl;
}

bool HttpCall::OnHead(const ResponseHead& head) {
  last_byte_at_ = MonotonicNanos();
  CountAttempts(std::max(0, transfer_->sends() - 1));
  progress_timer_.Arm(core_.options.idle_timeout);
  ignored_bytes_ = 0;
  verdict_ = CheckHead(route_, head, absl::Now());
  accepted_ = !verdict_.has_value() || !IsOutage(verdict_->failed.error.kind);
  if (accepted_) core_.throttle.OnAccepted(last_byte_at_);
  if (!verdict_.has_value()) sink_.OnStart(head);
  return true;
}

bool HttpCall::OnBody(std::string_view bytes) {
  last_byte_at_ = MonotonicNanos();
  if (verdict_.has_value()) {
    ignored_bytes_ += bytes.size();
    return ignored_bytes_ <= kMaxIgnoredBytes;
  }
  body_status_ = sink_.OnBody(bytes);
  return body_status_.ok();
}

void HttpCall::OnCompleted(CURLcode result) {
  if (transfer_->spoiled()) {
    transfer_.reset();
    fresh_connection_ = true;
    --attempts_;  // it was none
    return StartAttempt();
  }
  attempts_ += std::max(0, transfer_->sends() - 1);
  CountAttempts(0);
  progress_timer_.Cancel();
  // libcurl takes a connection that ended within the head for an answer without a body.
  if (result == CURLE_OK && last_byte_at_ == 0) result = CURLE_GOT_NOTHING;
  if (!body_status_.ok()) return End(std::move(body_status_));
  if (verdict_.has_value()) return OnAttemptFailed(*std::move(verdict_));
  if (result == CURLE_OK) return End(absl::OkStatus());
  OnAttemptFailed(CheckTransport(result, transfer_->RequestSent(), transfer_->detail()));
}

void HttpCall::ReportAttempt(std::optional<ErrorKind> error) {
  if (!std::exchange(unreported_, false) || core_.options.observer == nullptr) return;
  RequestReport report;
  report.route = RoutePath(route_);
  report.route.remove_suffix(1);  // the slash
  report.error = error;
  report.duration = absl::Nanoseconds(MonotonicNanos() - attempt_started_at_);
  report.retry = retrying_;
  if (transfer_ != nullptr) {
    report.sends = transfer_->sends();
    report.new_connections = transfer_->NewConnections();
  }
  core_.options.observer->OnRequestEnd(report);
}

void HttpCall::OnAttemptFailed(HeadVerdict verdict) {
  ReportAttempt(verdict.failed.error.kind);
  transfer_.reset();
  resolving_ = false;
  progress_timer_.Cancel();
  verdict.failed.error.attempts = attempts_;
  if (!accepted_ && IsOutage(verdict.failed.error.kind)) {
    core_.throttle.OnFailed(MonotonicNanos());
    core_.last_outage = verdict;
  }
  if (sink_.MayRepeat()) {
    const RetryRules rules = {.max_attempts = core_.options.max_retries,
                              .backoff_base = core_.options.backoff_base,
                              .backoff_factor = core_.options.backoff_factor,
                              .idempotent = IsIdempotent(route_)};
    const absl::Time now = absl::Now();
    const absl::Duration spent = absl::Nanoseconds(MonotonicNanos() - started_at_);
    const absl::Time deadline = std::min(options_.deadline, now + core_.options.max_call_duration - spent);
    const double random = absl::uniform_real_distribution<double>(0, 1)(core_.random);
    const std::optional<absl::Duration> delay =
        NextDelay(rules, verdict.failed, now, deadline, random, core_.retry_budget);
    if (delay.has_value() && MaySend()) {
      progress_timer_.Arm(*delay);  // with no transfer and no look-up under way, it is the wait before the next attempt
      return;
    }
  }
  End(MakeStatus(verdict.failed.error, verdict.message));
}

void HttpCall::OnProgressTimer() {
  if (resolving_) return OnAttemptFailed(TimedOut("connect"));
  if (transfer_ == nullptr) return StartAttempt();
  if (transfer_->paused()) return progress_timer_.Arm(core_.options.idle_timeout);
  if (last_byte_at_ == 0) return OnAttemptFailed(TimedOut("first_byte"));
  // The timer is not set anew for every piece of an answer: when it fires, it looks how long the last one is ago.
  const absl::Duration idle = absl::Nanoseconds(MonotonicNanos() - last_byte_at_);
  if (idle < core_.options.idle_timeout) return progress_timer_.Arm(core_.options.idle_timeout - idle);
  OnAttemptFailed(verdict_.has_value() ? *std::move(verdict_) : TimedOut("idle"));
}

void HttpCall::OnDeadline() {
  if (caller_deadline_is_first_) {
    Error error;
    error.kind = ErrorKind::kDeadline;
    error.attempts = attempts_;
    return End(MakeStatus(error, "the caller's deadline passed"));
  }
  HeadVerdict verdict = TimedOut("total");
  verdict.failed.error.attempts = attempts_;
  End(MakeStatus(verdict.failed.error, verdict.message));
}

HeadVerdict HttpCall::TimedOut(std::string_view timer) const {
  HeadVerdict verdict;
  verdict.failed.error.kind = ErrorKind::kTimeout;
  verdict.failed.error.timer = timer;
  verdict.failed.transient = timer == "connect";
  verdict.failed.reached = timer != "connect";
  verdict.message = absl::StrCat("iGPT did not answer within the ", AbslView(timer), " limit");
  return verdict;
}

void HttpCall::Cancel() {
  End(MakeStatus(ErrorKind::kAborted, "the caller cancelled"));
}

void HttpCall::Pause() {
  if (transfer_ != nullptr) transfer_->Pause();
}

void HttpCall::Resume() {
  if (transfer_ == nullptr || !transfer_->paused()) return;
  last_byte_at_ = MonotonicNanos();  // the idle limit starts anew
  transfer_->Resume();
  // What libcurl had kept was handed over just now. That it was refused ends no transfer outside libcurl's own reading.
  if (!body_status_.ok()) End(std::move(body_status_));
}

void HttpCall::End(absl::Status status) {
  if (ended_) return;
  ended_ = true;
  if (unreported_) ReportAttempt(status.ok() ? std::nullopt : std::optional(ErrorOf(status).value_or(Error()).kind));
  transfer_.reset();
  deadline_timer_.Cancel();
  progress_timer_.Cancel();
  core_.calls.erase(this);
  core_.loop.Defer([weak = std::weak_ptr<HttpCall*>(self_), status = std::move(status)]() mutable {
    if (const std::shared_ptr<HttpCall*> strong = weak.lock()) (*strong)->sink_.OnEnd(std::move(status));
  });
}

}  // namespace igpt::internal
