// A call with one answer, from its request to its callback. On the loop's thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "igpt/internal/client_core.h"
#include "igpt/internal/http/http_call.h"

namespace igpt::internal {

// What PendingCall cancels.
class Cancellable {
 public:
  virtual ~Cancellable() = default;
  virtual void Cancel() = 0;
};

// Keeps itself alive from Start() to its end.
template <typename Answer>
class UnaryCall final : public Cancellable,
                        public HttpCall::Sink,
                        public std::enable_shared_from_this<UnaryCall<Answer>> {
 public:
  using Decode = absl::AnyInvocable<absl::StatusOr<Answer>(std::string body)>;
  using Done = absl::AnyInvocable<void(absl::StatusOr<Answer>)>;

  UnaryCall(ClientCore& core, Route route, std::string body, CallOptions options, Decode decode, Done done)
      : max_bytes_(core.options.max_answer_bytes),
        decode_(std::move(decode)),
        done_(std::move(done)),
        http_(core, route, std::move(body), /*event_stream=*/false, std::move(options), *this) {}

  void Start() {
    self_ = this->shared_from_this();
    http_.Start();
  }

  void Cancel() override { http_.Cancel(); }

 private:
  void OnStart(const ResponseHead& head) override { body_ = RoomForBody(head); }

  absl::Status OnBody(std::string_view bytes) override {
    if (body_.size() + bytes.size() > max_bytes_) return AnswerTooLarge(max_bytes_);
    body_.append(bytes);
    return absl::OkStatus();
  }

  bool MayRepeat() const override { return true; }

  void OnEnd(absl::Status status) override {
    const std::shared_ptr<UnaryCall> self = std::move(self_);
    if (status.ok()) {
      done_(decode_(std::move(body_)));
    } else {
      done_(std::move(status));
    }
  }

  const size_t max_bytes_;
  Decode decode_;
  Done done_;
  std::string body_;
  std::shared_ptr<UnaryCall> self_;
  HttpCall http_;
};

}  // namespace igpt::internal
