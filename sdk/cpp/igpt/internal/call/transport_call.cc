#include "igpt/internal/call/transport_call.h"

#include "absl/time/clock.h"
#include "igpt/error.h"
#include "igpt/internal/base/thread_pool.h"
#include "igpt/internal/call/request_id.h"

namespace igpt::internal {

TransportRun::TransportRun(std::shared_ptr<SharedClient> client, const Route& route, CallOptions options,
                           absl::AnyInvocable<void(absl::Status)> on_limit)
    : client_(std::move(client)),
      route_(route),
      start_time_(absl::Now()),
      started_at_(MonotonicTime::Now()),
      options_(WithRequestId(std::move(options), client_->core().random)),
      limits_(client_->core(), options_, [on_limit = std::move(on_limit)](const FailedAttempt& why) mutable {
        on_limit(MakeStatus(why.error, why.message));
      }) {
  options_.stop = stop_.get_token();
}

void TransportRun::RunApart(Work work) {
  DefaultExecutor()->Run([this, client = client_, work = std::move(work)]() mutable {
    absl::AnyInvocable<void()> then;
    try {
      then = work();
    } catch (...) {
      // What the work holds keeps this alive.
      then = [this, work = std::move(work)] {
        FailedAttempt why;
        why.error.kind = ErrorKind::kConfiguration;
        why.message = "the transport threw an exception";
        limits_.End(std::move(why));
      };
    }
    work = nullptr;
    if (then != nullptr) client->loop().Post(std::move(then));
  });
}

void TransportRun::Defer(absl::AnyInvocable<void()> function) {
  client_->loop().Defer(std::move(function));
}

void TransportRun::Over(const absl::Status& status, int64_t events_delivered) {
  limits_.Over();
  stop_.request_stop();
  duration_ = MonotonicTime::Now() - started_at_;
  ReportCall(client_->core(), route_, Info(), status, events_delivered);
}

CallInfo TransportRun::Info(CallInfo told) const {
  told.request_id = options_.request_id;
  told.start_time = start_time_;
  told.duration = duration_.value_or(MonotonicTime::Now() - started_at_);
  return told;
}

absl::Status TransportRun::WithInfo(const absl::Status& status, int64_t events_delivered) const {
  const std::optional<Error> error = ErrorOf(status);
  return error.has_value() ? WithFacts(status, Info(error->call), events_delivered) : status;
}

TransportStream::TransportStream(std::shared_ptr<SharedClient> client)
    : StreamCall(client->core()), client_(std::move(client)) {}

void TransportStream::Begin(const Route& route, CallOptions options) {
  run_.emplace(client_, route, std::move(options), [this](absl::Status status) { SetEnd(std::move(status)); });
}

void TransportStream::Start(const Route& route, CallOptions options, Open open) {
  Begin(route, std::move(options));
  open_ = std::move(open);
  if (run_->Start()) Pull();
}

void TransportStream::Fail(const Route& route, CallOptions options, absl::Status status) {
  Begin(route, std::move(options));
  SetEnd(std::move(status));
}

std::optional<EventResult> TransportStream::TryRead() {
  if (next_.has_value()) {
    RunEvent event = *std::exchange(next_, std::nullopt);
    ++events_delivered_;
    if (auto* answer = event.payload.As<Answer>()) answer->call = run_->Info(std::move(answer->call));
    Pull();
    return EventResult(std::move(event));
  }
  if (!end_.has_value()) return std::nullopt;
  if (end_->ok()) return EventResult(std::nullopt);
  return EventResult(run_->WithInfo(*end_, events_delivered_));
}

void TransportStream::Cancel() {
  if (end_.has_value() || !run_.has_value()) return;
  next_.reset();
  run_->Cancel();
}

void TransportStream::Pull() {
  if (pulling_ || end_.has_value()) return;
  pulling_ = true;
  run_->RunApart([self = Self(), open = std::exchange(open_, nullptr),
                  source = std::move(source_)]() mutable -> absl::AnyInvocable<void()> {
    if (open != nullptr) source = open(*self->core_.transport, self->run_->options());
    EventResult result =
        source == nullptr ? MakeStatus(ErrorKind::kConfiguration, "the transport gave no stream") : source->Next();
    if (!result.ok() || !result->has_value()) source.reset();
    return [self = std::move(self), source = std::move(source), result = std::move(result)]() mutable {
      self->source_ = std::move(source);
      self->pulling_ = false;
      self->Take(std::move(result));
    };
  });
}

void TransportStream::Take(EventResult result) {
  if (end_.has_value()) return DropSource();
  if (!result.ok() || !result->has_value()) return SetEnd(result.status());
  next_ = **std::move(result);
  WakeReader();
}

void TransportStream::SetEnd(absl::Status status) {
  end_ = std::move(status);
  run_->Over(*end_, events_delivered_);
  DropSource();
  WakeReader();
}

void TransportStream::DropSource() {
  if (source_ == nullptr) return;
  run_->RunApart([self = Self(), source = std::move(source_)]() mutable -> absl::AnyInvocable<void()> {
    source.reset();
    return [self = std::move(self)] {};
  });
}

}  // namespace igpt::internal
