// A call whose answer comes as a whole, from its request to its callback. On the loop's thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "igpt/internal/call/call_end.h"
#include "igpt/internal/call/cancellable.h"
#include "igpt/internal/call/client_core.h"
#include "igpt/internal/call/endpoint.h"
#include "igpt/internal/call/retrying_request.h"
#include "igpt/internal/call/whole_body.h"

namespace igpt::internal {

// Keeps itself alive from Start() to its end.
template <typename Request, typename Answer>
class WholeAnswer final : public Cancellable,
                          public RetryingRequest::Receiver,
                          public std::enable_shared_from_this<WholeAnswer<Request, Answer>> {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<Answer>)>;

  // `request` has passed Check().
  WholeAnswer(ClientCore& core, const Endpoint<Request, Answer>& endpoint, Request request, CallOptions options,
              Done done)
      : core_(core),
        endpoint_(endpoint),
        request_(std::move(request)),
        done_(std::move(done)),
        body_(core.options.max_answer_bytes),
        http_(core, endpoint.route, Encode(request_, core.UserOf(request_)), /*event_stream=*/false,
              core.UserOf(request_), std::move(options), *this) {}

  void Start() {
    self_ = this->shared_from_this();
    http_.Start();
  }

  void Cancel() override { http_.Cancel(); }

 private:
  void OnStart(const ResponseHead& head) override { body_.Start(head); }
  absl::Status OnBody(std::string_view bytes) override { return body_.Append(bytes); }
  bool MayRepeat() const override { return true; }

  void OnEnd(absl::Status status) override {
    const std::shared_ptr<WholeAnswer> self = std::move(self_);
    absl::StatusOr<Answer> answer = status.ok() ? endpoint_.decode(body_.Take(), request_) : std::move(status);
    CallInfo info = http_.TakeInfo();
    if (!answer.ok()) answer = WithFacts(answer.status(), info);
    ReportCall(core_, endpoint_.route, info, answer.status(), 0, http_.held_back());
    if (answer.ok()) answer->call = std::move(info);
    done_(std::move(answer));
  }

  ClientCore& core_;
  const Endpoint<Request, Answer>& endpoint_;
  const Request request_;
  Done done_;
  WholeBody body_;
  std::shared_ptr<WholeAnswer> self_;
  RetryingRequest http_;
};

}  // namespace igpt::internal
