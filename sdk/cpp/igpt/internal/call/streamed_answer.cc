#include "igpt/internal/call/streamed_answer.h"

#include <utility>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "igpt/internal/base/string_view.h"
#include "igpt/internal/policy/http_status.h"

namespace igpt::internal {
namespace {

// How much is buffered for a reader that is slower than iGPT. Above the upper mark the connection is no longer read;
// below the lower one it is read again.
constexpr size_t kUpperMarkBytes = 256 << 10;
constexpr size_t kLowerMarkBytes = 64 << 10;

// How long the end of the body is waited for after the terminal event. The answer is whole without it, but the
// connection can then be used again, and anything that still comes is delivered.
constexpr absl::Duration kTrailerWait = absl::Seconds(1);

// Neither JSON nor an error: what servers send to keep a connection alive, or at the end of a stream.
bool IsFiller(const SseEvent& event) {
  const absl::string_view data = absl::StripAsciiWhitespace(AbslView(event.data));
  return !NamesError(event.event) && (data.empty() || absl::EqualsIgnoreCase(data, "[DONE]"));
}

// How much memory an event takes in addition to its text.
constexpr size_t kEventOverheadBytes = 128;

size_t CostOf(const SseEvent& event) {
  return event.data.size() + event.event.size() + kEventOverheadBytes;
}

}  // namespace

StreamedAnswer::StreamedAnswer(ClientCore& core)
    : StreamCall(core), body_(core.options.max_answer_bytes), trailer_timer_(core.loop, [this] { http_->Cancel(); }) {}

void StreamedAnswer::Start(const Route& route, std::string body, bool event_stream, AnswerDecoding decoding,
                           const std::string& user, CallOptions options) {
  route_ = &route;
  decoding_ = decoding;
  http_.emplace(core_, route, std::move(body), event_stream, user, std::move(options), *this);
  http_->Start();
}

void StreamedAnswer::Fail(const Route& route, const CallOptions& options, absl::Status status) {
  route_ = &route;
  refused_ = Refused(options);
  OnEnd(std::move(status));
}

std::optional<EventResult> StreamedAnswer::TryRead() {
  if (next_.has_value()) return Deliver(*std::exchange(next_, std::nullopt));
  while (!queue_.empty()) {
    absl::StatusOr<RunEvent> event = DecodeNext();
    if (event.ok()) {
      if (progress_.run != Run::kFinished || progress_.half.empty()) return Deliver(*std::move(event));
      next_ = *std::move(event);
      return Deliver(LostHalf());
    }
    if (progress_.run == Run::kFinished) continue;  // the answer is whole, whatever comes after it
    // An error that iGPT reported, or an event that cannot be read: what follows cannot be trusted.
    queue_.clear();
    http_->Cancel();
    SetEnd(event.status());
  }
  if (!end_.has_value() && body_end_.has_value()) {
    absl::Status end = JudgeEnd();
    if (end.ok() && !progress_.half.empty()) return Deliver(LostHalf());
    SetEnd(std::move(end));
  }
  if (!end_.has_value()) return std::nullopt;
  if (end_->ok()) return EventResult(std::nullopt);
  // A new status each time: a reader on another thread must share nothing with what stays here.
  return EventResult(WithFacts(*end_, Info(), events_delivered_));
}

void StreamedAnswer::SetEnd(absl::Status status) {
  end_ = std::move(status);
  ReportCall(core_, *route_, Info(), *end_, events_delivered_, http_.has_value() && http_->held_back());
}

absl::StatusOr<RunEvent> StreamedAnswer::DecodeNext() {
  SseEvent event = std::move(queue_.front());
  queue_.pop_front();
  queued_bytes_ -= CostOf(event);
  if (queued_bytes_ < kLowerMarkBytes) http_->Resume();
  return DecodeRunEvent(std::move(event.data), event.event, decoding_, progress_);
}

// What is left of a character whose second half never came, so that the deltas are the whole answer.
RunEvent StreamedAnswer::LostHalf() {
  progress_.half.clear();
  RunEvent event;
  event.payload = Delta{"\xEF\xBF\xBD"};
  return event;
}

EventResult StreamedAnswer::Deliver(RunEvent&& event) {
  ++events_delivered_;
  if (event.payload.As<RunStarted>() != nullptr) trailer_timer_.Cancel();
  if (auto* answer = event.payload.As<Answer>()) {
    answer->call = Info();
    if (!body_end_.has_value()) trailer_timer_.Arm(kTrailerWait);
  }
  return EventResult(std::move(event));
}

void StreamedAnswer::Cancel() {
  if (end_.has_value()) return;
  const bool whole = progress_.run == Run::kFinished && !next_.has_value();
  queue_.clear();
  next_.reset();
  if (http_.has_value()) http_->Cancel();
  SetEnd(whole ? absl::OkStatus() : MakeStatus(ErrorKind::kAborted, "the caller cancelled"));
  WakeReader();
}

void StreamedAnswer::OnStart(const ResponseHead& head) {
  event_stream_ = IsEventStream(head.content_type);
  framed_ = head.framed;
  body_began_ = false;
  parser_.emplace(core_.options.max_event_bytes);
  body_.Start(head);
}

absl::Status StreamedAnswer::OnBody(std::string_view bytes) {
  // No line of an event stream begins like this: it is JSON, mostly an error, under a wrong name.
  if (!body_began_) {
    const size_t first = bytes.find_first_not_of(" \t\r\n");
    body_began_ = first != bytes.npos;
    if (body_began_ && bytes[first] == '{') event_stream_ = false;
  }
  return event_stream_ ? TakeEventStream(bytes) : body_.Append(bytes);
}

absl::Status StreamedAnswer::TakeEventStream(std::string_view bytes) {
  const bool may_repeat = MayRepeat();
  absl::Status fed = parser_->Feed(bytes, [this](SseEvent event) {
    if (IsFiller(event)) return;
    ++events_parsed_;
    answer_bytes_ += event.data.size();
    if (answer_bytes_ > core_.options.max_answer_bytes) return;
    queued_bytes_ += CostOf(event);
    queue_.push_back(std::move(event));
  });
  if (may_repeat && !MayRepeat()) http_->WillNotRepeat();
  if (!queue_.empty()) WakeReader();
  if (queued_bytes_ > kUpperMarkBytes) http_->Pause();
  if (answer_bytes_ > core_.options.max_answer_bytes) return AnswerTooLarge(core_.options.max_answer_bytes);
  return fed;
}

void StreamedAnswer::OnEnd(absl::Status status) {
  const std::shared_ptr<StreamCall> self = shared_from_this();  // the reader may let the stream go
  if (status.ok() && !event_stream_) {
    absl::StatusOr<Answer> answer = DecodeAnswer(body_.Take(), decoding_);
    if (answer.ok()) {
      next_.emplace();
      next_->raw_json = std::exchange(answer->raw_json, "");
      next_->payload = *std::move(answer);
      progress_.run = Run::kFinished;
    } else {
      status = answer.status();
    }
  }
  body_end_ = std::move(status);
  trailer_timer_.Cancel();
  RunReader();  // at once: a client that closes waits for the ends of its calls, not for what they defer
}

// Whether the stream ended properly, given how its body did and what was read of it.
absl::Status StreamedAnswer::JudgeEnd() const {
  if (progress_.run == Run::kFinished) return absl::OkStatus();
  const std::optional<Error> error = ErrorOf(*body_end_);
  const bool cut = error.has_value() && error->kind == ErrorKind::kNetwork && events_parsed_ > 0;
  if (!body_end_->ok() && !cut) return *body_end_;
  if (!cut && events_parsed_ == 0 && !parser_->HasPartialEvent()) {
    return MakeStatus(ErrorKind::kProtocol, "iGPT's stream contained no event");
  }
  if (!cut && framed_ && progress_.run == Run::kNone && !parser_->HasPartialEvent()) return absl::OkStatus();
  return MakeStatus(ErrorKind::kTruncated,
                    "iGPT's stream stopped before its proper end; all events before that were delivered, and asking "
                    "again starts over");
}

}  // namespace igpt::internal
