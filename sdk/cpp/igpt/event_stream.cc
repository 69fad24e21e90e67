#include "igpt/event_stream.h"

#include <string>
#include <variant>

#include "igpt/error.h"
#include "igpt/internal/base/fork.h"
#include "igpt/internal/call/callbacks.h"
#include "igpt/internal/call/on_loop.h"
#include "igpt/internal/call/shared_client.h"
#include "igpt/internal/call/stream_call.h"

namespace igpt::inline sdk_v1 {

using internal::EventLoop;
using internal::RunOn;

namespace {

// What the answer is once `event` was read.
void Add(const RunEvent& event, Answer& answer) {
  if (const auto* delta = event.payload.As<Delta>()) {
    if (!std::holds_alternative<Text>(answer.output)) answer.output = Text();
    std::get<Text>(answer.output).text += delta->text;
  } else if (const auto* started = event.payload.As<RunStarted>()) {
    answer = Answer{.id = started->id, .start_time = started->start_time};
  } else if (const auto* whole = event.payload.As<Answer>()) {
    answer = *whole;
    answer.raw_json = event.raw_json;
  }
}

}  // namespace

EventStream::EventStream(internal::ClientRef client, std::shared_ptr<internal::StreamCall> call)
    : client_(std::move(client)), call_(std::move(call)) {}

EventStream::~EventStream() {
  Release();
}

EventStream::EventStream(EventStream&& other) noexcept = default;

EventStream& EventStream::operator=(EventStream&& other) noexcept {
  if (this == &other) return *this;
  Release();
  client_ = std::move(other.client_);
  call_ = std::move(other.call_);
  status_ = std::move(other.status_);
  answer_ = std::move(other.answer_);
  return *this;
}

// The call lives and ends on the loop's thread.
void EventStream::Release() {
  if (call_ == nullptr) return;
  if (!Usable().ok()) {
    internal::KeepForever(std::move(call_));
  } else {
    RunOn((*client_)->loop(), [call = std::move(call_)] { call->Cancel(); });
  }
  client_.reset();
}

absl::Status EventStream::Usable() const {
  if (call_ == nullptr)
    return MakeStatus(ErrorKind::kConfiguration, "this stream was moved from, or made without a call");
  return internal::Usable(client_->get());
}

EventResult EventStream::Read() {
  return *ReadUntil(MonotonicTime::InfiniteFuture());
}

std::optional<EventResult> EventStream::ReadUntil(MonotonicTime end) {
  if (absl::Status usable = Usable(); !usable.ok()) return EventResult(status_ = std::move(usable));
  EventLoop& loop = (*client_)->loop();
  absl::StatusOr<std::optional<EventResult>> result = internal::Await<std::optional<EventResult>>(loop, [&](auto done) {
    RunOn(loop, [call = call_, end, done = std::move(done)]() mutable { call->Read(end, std::move(done)); });
  });
  if (!result.ok()) return EventResult(status_ = result.status());  // on the loop's own thread
  if (!result->has_value()) return std::nullopt;
  const EventResult& read = **result;
  status_ = read.status();
  if (read.ok() && read->has_value()) Add(**read, answer_);
  return *std::move(result);
}

void EventStream::Read(absl::AnyInvocable<void(EventResult)> done) {
  if (done == nullptr) {
    return internal::RefuseNull(client_.has_value() ? client_->get().get() : nullptr, "EventStream::Read");
  }
  if (absl::Status usable = Usable(); !usable.ok()) return internal::FailLater(std::move(done), std::move(usable));
  RunOn((*client_)->loop(), [call = call_, done = (*client_)->core().callbacks->Wrap(std::move(done))]() mutable {
    call->Read(MonotonicTime::InfiniteFuture(),
               [done = std::move(done)](std::optional<EventResult> result) mutable { done(*std::move(result)); });
  });
}

bool EventStream::Next(RunEvent* event) {
  EventResult result = Read();
  if (!result.ok() || !result->has_value()) return false;
  *event = **std::move(result);
  return true;
}

absl::Status EventStream::ForEachText(absl::FunctionRef<void(std::string_view)> take) {
  RunEvent event;
  while (Next(&event)) {
    if (const auto* delta = event.payload.As<Delta>()) take(delta->text);
  }
  return status();
}

absl::StatusOr<Answer> EventStream::Finish() {
  RunEvent event;
  while (Next(&event)) {
  }
  if (!status_.ok()) return status_;
  answer_.call = Info();
  return answer_;
}

EventStream::Iterator& EventStream::Iterator::operator++() {
  RunEvent event;
  if (stream_->Next(&event)) {
    current_ = std::move(event);
  } else if (current_.ok() && !stream_->status().ok()) {
    current_ = stream_->status();
  } else {
    ended_ = true;
  }
  return *this;
}

void EventStream::Cancel() {
  if (!Usable().ok()) return;
  RunOn((*client_)->loop(), [call = call_] { call->Cancel(); });
}

CallInfo EventStream::Info() const {
  if (!Usable().ok()) return {};
  EventLoop& loop = (*client_)->loop();
  if (loop.InLoop()) return call_->Info();
  absl::StatusOr<CallInfo> info = internal::Await<CallInfo>(
      loop, [&](auto done) { loop.Post([call = call_, done = std::move(done)]() mutable { done(call->Info()); }); });
  return info.ok() ? *std::move(info) : CallInfo();
}

}  // namespace igpt::inline sdk_v1
