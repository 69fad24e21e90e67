#include "igpt/internal/call/attempt.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "igpt/internal/base/monotonic.h"
#include "igpt/internal/base/string_view.h"
#include "igpt/internal/call/request_id.h"
#include "igpt/internal/policy/http_status.h"
#include "igpt/observer.h"

namespace igpt::internal {
namespace {

// How much is read from a connection at once. There can be tens of thousands of streams; most of them are waiting, and
// what comes on one at a time is little.
constexpr int kStreamBufferBytes = 4 << 10;
constexpr int kAnswerBufferBytes = 16 << 10;

constexpr char kTraceparent[] = "traceparent";

using Header = std::pair<std::string, std::string>;

bool Holds(const std::vector<Header>& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [name](const Header& header) { return absl::EqualsIgnoreCase(header.first, AbslView(name)); });
}

}  // namespace

Attempt::Attempt(ClientCore& core, const Request& request, int earlier_sends, int max_sends, Owner& owner)
    : core_(core),
      request_(request),
      traceparent_(request.options.traceparent.empty() ? "" : ChildOf(request.options.traceparent, core.random)),
      earlier_sends_(earlier_sends),
      max_sends_(max_sends),
      owner_(owner),
      fresh_connection_(request.route.effect == Effect::kChanges),
      lookup_timer_(core.loop, [this] { Fail(TimedOut("connect")); }),
      silence_timer_(core.loop, [this] { OnSilence(); }) {}

Attempt::~Attempt() = default;

void Attempt::Start() {
  started_at_ = MonotonicNanos();
  resolved_.clear();
  LookUpNext();
}

void Attempt::LookUpNext() {
  if (resolved_.size() == core_.resolvers.size()) return Send();
  state_ = State::kLookingUp;
  if (self_ == nullptr) self_ = std::make_shared<Attempt*>(this);
  Resolver& resolver = *core_.resolvers[resolved_.size()];
  resolver.Resolve([weak = std::weak_ptr<Attempt*>(self_)](const absl::StatusOr<std::string>& entry) {
    const std::shared_ptr<Attempt*> strong = weak.lock();
    if (strong == nullptr || (*strong)->state_ != State::kLookingUp) return;
    if (!entry.ok()) return (*strong)->FailLookUp(entry.status());
    (*strong)->resolved_.push_back(*entry);
    (*strong)->LookUpNext();
  });
  if (state_ == State::kLookingUp && !lookup_timer_.armed()) lookup_timer_.Arm(core_.options.connect_timeout);
}

void Attempt::FailLookUp(const absl::Status& status) {
  const BaseUrl& proxy = core_.proxy;
  const bool of_proxy = resolved_.empty() && !proxy.host.empty() && !proxy.host_is_address;
  Fail(of_proxy ? ProxyFailed(proxy.host, proxy.port, CURLE_COULDNT_RESOLVE_PROXY)
                : LookupFailed(StdView(status.message())));
}

void Attempt::Send() {
  const CallOptions& options = request_.options;
  Transfer::Request request;
  request.url = absl::StrCat(core_.base_url.url, "/", AbslView(request_.route.path));
  request.headers = {
      absl::StrCat("Authorization: Bearer ", AbslView(request_.key)),
      "Content-Type: application/json",
      absl::StrCat("Accept: ", request_.event_stream ? "text/event-stream" : "application/json"),
      absl::StrCat("X-Client: ", core_.client_name),
      absl::StrCat("User-Agent: ", core_.user_agent),
      absl::StrCat("X-Request-Id: ", options.request_id),
  };
  const auto add = [&request](const Header& header) {
    request.headers.push_back(absl::StrCat(header.first, ": ", header.second));
  };
  for (const Header& header : core_.options.headers) {
    const bool replaced = Holds(options.headers, header.first) ||
                          (!traceparent_.empty() && absl::EqualsIgnoreCase(header.first, kTraceparent));
    if (!replaced) add(header);
  }
  for (const Header& header : options.headers) add(header);
  if (!traceparent_.empty()) add({kTraceparent, traceparent_});
  request.body = request_.body;
  request.resolve = std::move(resolved_);
  request.connect_timeout = std::max(absl::Milliseconds(1),
                                     core_.options.connect_timeout - absl::Nanoseconds(MonotonicNanos() - started_at_));
  request.authorities = core_.authorities;
  request.ca_dir = core_.options.ca_dir;
  request.client_certificate = core_.options.client_certificate_pem;
  request.client_key = core_.options.client_key_pem;
  request.proxy = core_.options.proxy;
  request.http_version = core_.options.http_version;
  request.wait_to_share = core_.multiplexed || core_.options.http_version == HttpVersion::k2;
  request.fresh_connection = fresh_connection_;
  request.max_sends = max_sends_;
  request.buffer_bytes = request_.event_stream ? kStreamBufferBytes : kAnswerBufferBytes;

  lookup_timer_.Cancel();
  state_ = State::kWaiting;
  transfer_ = std::make_unique<Transfer>(core_.loop.curl(), std::move(request), *this);
  if (const CURLcode result = transfer_->Start(); result != CURLE_OK) return FailTransfer(result);
  silence_timer_.Arm(core_.options.first_byte_timeout);
}

BodyReceiver* Attempt::OnHead(const ResponseHead& head) {
  silence_timer_.Arm(core_.options.idle_timeout);
  http_status_ = head.status;
  core_.multiplexed = transfer_->Multiplexed();
  owner_.OnHead(head);
  std::optional<FailedAttempt> error = CheckHead(request_.route, head, absl::Now());
  if (!error.has_value() || !IsOutage(*error)) core_.throttle.OnAccepted(request_.who, transfer_->idle_since());
  if (error.has_value()) {
    state_ = State::kReadingError;
    error_ = *std::move(error);
    return nullptr;
  }
  state_ = State::kReadingAnswer;
  return &owner_.OnAnswer(head);
}

void Attempt::OnCompleted(CURLcode result) {
  if (transfer_->spoiled()) {
    transfer_.reset();
    silence_timer_.Cancel();
    fresh_connection_ = true;
    return Start();
  }
  if (!transfer_->body_status().ok()) return Done(transfer_->body_status());
  if (state_ == State::kReadingError) return Fail(std::move(error_));
  // libcurl takes a connection that ended within the head for an answer without a body.
  if (result == CURLE_OK && state_ == State::kWaiting) result = CURLE_GOT_NOTHING;
  if (result == CURLE_OK) return Done(absl::OkStatus());
  FailTransfer(result);
}

// The timer is not armed for every piece of an answer: when it fires, this looks how long ago the last piece came.
void Attempt::OnSilence() {
  if (state_ == State::kWaiting) return Fail(TimedOut("first_byte"));
  if (transfer_->paused()) return silence_timer_.Arm(core_.options.idle_timeout);
  const absl::Duration idle = absl::Nanoseconds(MonotonicNanos() - transfer_->idle_since());
  if (idle < core_.options.idle_timeout) return silence_timer_.Arm(core_.options.idle_timeout - idle);
  Fail(state_ == State::kReadingError ? std::move(error_) : TimedOut("idle"));
}

void Attempt::Abort(ErrorKind why) {
  if (state_ != State::kEnded) End(why);
}

void Attempt::Pause() {
  if (transfer_ != nullptr) transfer_->Pause();
}

void Attempt::Resume() {
  if (transfer_ == nullptr || !transfer_->paused()) return;
  const CURLcode result = transfer_->Resume();
  // What libcurl had kept was handed over just now. If that was refused, the transfer doesn't end by itself: this was
  // outside libcurl's own reading.
  if (!transfer_->body_status().ok()) return Done(transfer_->body_status());
  if (result != CURLE_OK) FailTransfer(result);
}

int Attempt::sends() const {
  return transfer_ == nullptr ? sends_ : std::max(1, transfer_->sends());
}

void Attempt::FailTransfer(CURLcode result) {
  const BaseUrl& proxy = core_.proxy;
  if (const int status = transfer_->ProxyRefusal(); status != 0) {
    return Fail(ProxyRefused(proxy.host, proxy.port, status));
  }
  if (FailedAtProxy(result)) return Fail(ProxyFailed(proxy.host, proxy.port, result));
  Fail(CheckTransport(result, transfer_->RequestSent(), transfer_->detail()));
}

// Whether it failed on the way to the proxy, or because of what the proxy did before it led on to iGPT.
bool Attempt::FailedAtProxy(CURLcode result) const {
  if (core_.proxy.host.empty() || transfer_->RequestSent() || result == CURLE_OPERATION_TIMEDOUT) return false;
  // How far it came with a SOCKS proxy is in the result alone.
  const bool socks = core_.proxy.scheme.starts_with("socks");
  return socks ? result == CURLE_COULDNT_CONNECT || result == CURLE_PROXY : !transfer_->Tunnelled();
}

void Attempt::Done(absl::Status status) {
  End(status.ok() ? std::nullopt : std::optional(ErrorOf(status).value_or(Error()).kind));
  owner_.OnDone(std::move(status));
}

void Attempt::Fail(FailedAttempt failed) {
  if (state_ != State::kReadingAnswer && IsOutage(failed)) {
    core_.throttle.OnFailed(request_.who, MonotonicNanos(), failed);
  }
  End(failed.error.kind);
  owner_.OnFailed(std::move(failed));
}

void Attempt::End(std::optional<ErrorKind> error) {
  Report(error);
  state_ = State::kEnded;
  sends_ = sends();
  transfer_.reset();
  lookup_timer_.Cancel();
  silence_timer_.Cancel();
}

void Attempt::Report(std::optional<ErrorKind> error) const {
  if (core_.options.observer == nullptr) return;
  RequestReport report;
  report.route = request_.route.name();
  report.error = error;
  report.request_id = request_.options.request_id;
  report.http_status = http_status_;
  report.duration = absl::Nanoseconds(MonotonicNanos() - started_at_);
  report.retry = earlier_sends_ > 0;
  report.resends = earlier_sends_;
  report.traceparent = traceparent_;
  report.parent = request_.options.traceparent;
  if (transfer_ != nullptr) {
    report.sends = transfer_->sends();
    report.new_connections = transfer_->NewConnections();
    if (report.sends > 1) report.resends += report.sends - 1;
    if (http_status_ != 0) report.http_version = transfer_->Multiplexed() ? "2" : "1.1";
  }
  core_.options.observer->OnRequestEnd(report);
}

}  // namespace igpt::internal
