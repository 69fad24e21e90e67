// Calls that a Transport answers, in place of HTTP. On the loop's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "igpt/event_stream.h"
#include "igpt/internal/call/call_end.h"
#include "igpt/internal/call/call_limits.h"
#include "igpt/internal/call/cancellable.h"
#include "igpt/internal/call/client_core.h"
#include "igpt/internal/call/endpoint.h"
#include "igpt/internal/call/shared_client.h"
#include "igpt/internal/call/stream_call.h"
#include "igpt/internal/policy/route.h"
#include "igpt/transport.h"

namespace igpt::internal {

// What both forms have in common: the limits of the call, and the thread on which the transport runs.
class TransportRun {
 public:
  // `on_limit` is told what ended the call before the transport did.
  TransportRun(std::shared_ptr<SharedClient> client, const Route& route, CallOptions options,
               absl::AnyInvocable<void(absl::Status)> on_limit);

  // False: the call is over already, as `on_limit` was told.
  bool Start() { return limits_.Start(); }
  void Cancel() { limits_.Cancel(); }

  // For the transport: with a request id, and a stop token that says when nobody waits for it any more.
  const CallOptions& options() const { return options_; }

  // Runs `work` on a thread that may block, and then what it returns here, on the loop's. What `work` holds keeps this
  // alive, and goes on the loop's thread.
  using Work = absl::AnyInvocable<absl::AnyInvocable<void()>()>;
  void RunApart(Work work);

  // Runs `function` at the end of the turn.
  void Defer(absl::AnyInvocable<void()> function);

  // The call has ended like this. Tells the observer.
  void Over(const absl::Status& status, int64_t events_delivered = 0);

  // The facts of the call, those that the transport told included.
  CallInfo Info(CallInfo told = {}) const;
  // An error of this library with these facts.
  absl::Status WithInfo(const absl::Status& status, int64_t events_delivered = 0) const;

 private:
  const std::shared_ptr<SharedClient> client_;
  const Route& route_;
  const absl::Time start_time_;
  const MonotonicTime started_at_;
  std::stop_source stop_;
  CallOptions options_;
  CallLimits limits_;
  std::optional<absl::Duration> duration_;  // once it is over
};

// A transport doesn't know the client's default user.
template <typename Request>
Request WithUser(Request request, const ClientCore& core) {
  request.user = core.UserOf(request);
  return request;
}

// A whole answer. Keeps itself alive from Start() to the end of the transport's function.
template <typename Request, typename Answer>
class TransportAnswer final : public Cancellable,
                              public std::enable_shared_from_this<TransportAnswer<Request, Answer>> {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<Answer>)>;

  TransportAnswer(const std::shared_ptr<SharedClient>& client, const Endpoint<Request, Answer>& endpoint,
                  Request request, CallOptions options, Done done)
      : transport_(client->core().transport),
        endpoint_(endpoint),
        request_(WithUser(std::move(request), client->core())),
        done_(std::move(done)),
        run_(client, endpoint.route, std::move(options), [this](absl::Status status) { End(std::move(status)); }) {}

  void Start() {
    if (!run_.Start()) return;
    run_.RunApart([self = this->shared_from_this()]() mutable -> absl::AnyInvocable<void()> {
      absl::StatusOr<Answer> answer =
          ((*self->transport_).*self->endpoint_.function)(self->request_, self->run_.options());
      return [self = std::move(self), answer = std::move(answer)]() mutable { self->End(std::move(answer)); };
    });
  }

  void Cancel() override { run_.Cancel(); }

 private:
  void End(absl::StatusOr<Answer> answer) {
    if (done_ == nullptr) return;
    run_.Over(answer.status());
    if (answer.ok()) {
      answer->call = run_.Info(std::move(answer->call));
    } else {
      answer = run_.WithInfo(answer.status());
    }
    run_.Defer(
        [done = std::exchange(done_, nullptr), answer = std::move(answer)]() mutable { done(std::move(answer)); });
  }

  const std::shared_ptr<Transport> transport_;
  const Endpoint<Request, Answer>& endpoint_;
  const Request request_;
  Done done_;
  TransportRun run_;
};

// A streamed answer. The transport is asked for one event ahead.
class TransportStream final : public StreamCall {
 public:
  // On any thread; everything else, destruction too, on the loop's.
  explicit TransportStream(std::shared_ptr<SharedClient> client);
  template <typename Request>
  void Start(const Endpoint<Request, Answer>& endpoint, Request request, CallOptions options) {
    Start(endpoint.route, std::move(options),
          [&endpoint, request = WithUser(std::move(request), core_)](Transport& transport, const CallOptions& call) {
            return (transport.*endpoint.stream)(request, call);
          });
  }
  // Ends the call with `status`, an error, in place of Start().
  void Fail(const Route& route, CallOptions options, absl::Status status);

  CallInfo Info() const override { return run_.has_value() ? run_->Info() : CallInfo(); }
  std::optional<EventResult> TryRead() override;
  bool Readable() const override { return next_.has_value() || end_.has_value(); }
  void Cancel() override;

 private:
  // Makes the source, on a thread that may block.
  using Open = absl::AnyInvocable<std::unique_ptr<EventSource>(Transport&, const CallOptions&)>;

  void Start(const Route& route, CallOptions options, Open open);
  std::shared_ptr<TransportStream> Self() { return std::static_pointer_cast<TransportStream>(shared_from_this()); }
  void Begin(const Route& route, CallOptions options);
  void Pull();
  void Take(EventResult result);
  void SetEnd(absl::Status status);
  void DropSource();

  const std::shared_ptr<SharedClient> client_;
  Open open_;                            // until the first pull
  std::unique_ptr<EventSource> source_;  // between two pulls
  bool pulling_ = false;
  std::optional<RunEvent> next_;
  int64_t events_delivered_ = 0;
  std::optional<absl::Status> end_;
  std::optional<TransportRun> run_;  // from Start() or Fail() on
};

}  // namespace igpt::internal
