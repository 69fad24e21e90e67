// A call that iGPT answers event by event, from its request to the last of them.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "igpt/event_stream.h"
#include "igpt/internal/call/call_end.h"
#include "igpt/internal/call/client_core.h"
#include "igpt/internal/call/endpoint.h"
#include "igpt/internal/call/retrying_request.h"
#include "igpt/internal/call/stream_call.h"
#include "igpt/internal/call/whole_body.h"
#include "igpt/internal/http/sse_parser.h"
#include "igpt/internal/json/codec.h"

namespace igpt::internal {

class StreamedAnswer final : public StreamCall, public RetryingRequest::Receiver {
 public:
  // On any thread; everything else, destruction too, on the loop's.
  explicit StreamedAnswer(ClientCore& core);

  // Sends the request, which has passed Check(). Its endpoint may stream. `stream`: an event stream is asked for; else
  // the whole answer, which is the one event.
  template <typename Request>
  void Start(const Endpoint<Request, Answer>& endpoint, const Request& request, CallOptions options,
             bool stream = true) {
    Start(endpoint.route, Encode(request, core_.UserOf(request), stream), stream, DecodingOf(request),
          core_.UserOf(request), std::move(options));
  }
  // Ends the call with `status`, an error, in place of Start().
  void Fail(const Route& route, const CallOptions& options, absl::Status status);

  CallInfo Info() const override { return http_.has_value() ? http_->Info() : refused_; }
  std::optional<EventResult> TryRead() override;
  bool Readable() const override {
    return !queue_.empty() || next_.has_value() || body_end_.has_value() || end_.has_value();
  }
  void Cancel() override;

 private:
  void Start(const Route& route, std::string body, bool event_stream, AnswerDecoding decoding, const std::string& user,
             CallOptions options);

  void OnStart(const ResponseHead& head) override;
  absl::Status OnBody(std::string_view bytes) override;
  bool MayRepeat() const override { return events_parsed_ == 0; }
  void OnEnd(absl::Status status) override;

  absl::Status TakeEventStream(std::string_view bytes);
  absl::StatusOr<RunEvent> DecodeNext();
  RunEvent LostHalf();
  EventResult Deliver(RunEvent&& event);
  absl::Status JudgeEnd() const;
  void SetEnd(absl::Status status);

  const Route* route_ = nullptr;  // from Start() or Fail() on
  CallInfo refused_;              // of a call that failed in place of its start
  AnswerDecoding decoding_;
  std::optional<RetryingRequest> http_;  // none before Start(), or when the call failed in its place

  // The answer of the current attempt.
  bool event_stream_ = false;
  bool framed_ = false;
  bool body_began_ = false;  // something that isn't blank has come
  std::optional<SseParser> parser_;
  WholeBody body_;  // when it is no event stream

  // Whole events that were not read yet: one that is decoded already, or the one answer that came as no event stream;
  // then those that are not.
  std::optional<RunEvent> next_;
  std::deque<SseEvent> queue_;
  size_t queued_bytes_ = 0;
  size_t answer_bytes_ = 0;  // of all events
  int64_t events_parsed_ = 0;
  int64_t events_delivered_ = 0;
  using Run = RunProgress::Run;
  RunProgress progress_;
  EventLoop::Timer trailer_timer_;  // once the run has finished: how long the end of the body is waited for

  std::optional<absl::Status> body_end_;  // how the transfer ended
  std::optional<absl::Status> end_;       // what a read gives after the last event
};

}  // namespace igpt::internal
