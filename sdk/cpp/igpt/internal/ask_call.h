// An Ask from its request to its last event: what an AskStream reads from.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "igpt/ask_stream.h"
#include "igpt/internal/client_core.h"
#include "igpt/internal/http/http_call.h"
#include "igpt/internal/http/sse_parser.h"
#include "igpt/internal/json/codec.h"

namespace igpt::internal {

class AskCall final : public HttpCall::Sink, public std::enable_shared_from_this<AskCall> {
 public:
  // On any thread; everything else, destruction too, on the loop's.
  explicit AskCall(ClientCore& core);

  // Sends the request, which has passed Check().
  void Start(const AskRequest& request, CallOptions options);
  // Ends the call with `status`, an error, in place of Start().
  void Fail(absl::Status status);

  // AskStream's.
  std::optional<AskResult> TryRead();
  bool Readable() const { return !queue_.empty() || answer_.has_value() || body_end_.has_value() || end_.has_value(); }
  void WaitReadable(absl::Duration timeout, absl::AnyInvocable<void()> wake);
  void Cancel();

 private:
  void OnStart(const ResponseHead& head) override;
  absl::Status OnBody(std::string_view bytes) override;
  bool MayRepeat() const override { return events_parsed_ == 0; }
  void OnEnd(absl::Status status) override;

  absl::Status TakeEventStream(std::string_view bytes);
  AskResult Deliver(AskEvent&& event);
  absl::Status JudgeEnd() const;
  absl::Status WithEventsDelivered(const absl::Status& status) const;
  void WakeReader();  // at the end of the turn
  void RunReader();   // now, if one is pending

  ClientCore& core_;
  AskDecoding decoding_;
  std::optional<HttpCall> http_;  // none before Start(), or when the call failed in its place

  // The answer of the current attempt.
  bool event_stream_ = false;
  bool framed_ = false;
  std::optional<SseParser> parser_;
  std::string body_;  // when it is no event stream

  // Whole events that were not read yet, undecoded; or the one answer that came as no event stream, decoded.
  std::deque<SseEvent> queue_;
  std::optional<AskEvent> answer_;
  size_t queued_bytes_ = 0;
  size_t answer_bytes_ = 0;  // of all events
  int64_t events_parsed_ = 0;
  int64_t events_delivered_ = 0;
  bool run_open_ = false;           // a run began and has not finished
  bool completed_ = false;          // the terminal event was delivered
  EventLoop::Timer trailer_timer_;  // how long the end of the body is waited for after it

  std::optional<absl::Status> body_end_;  // how the transfer ended
  std::optional<absl::Status> end_;       // what is read after the last event, but for what was delivered

  absl::AnyInvocable<void()> wake_;  // the pending Read
  bool waking_ = false;              // it runs at the end of the turn
  EventLoop::Timer wake_timer_;
};

}  // namespace igpt::internal
