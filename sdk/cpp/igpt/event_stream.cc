#include "igpt/event_stream.h"

#include <utility>

#include "igpt/internal/call/on_loop.h"
#include "igpt/internal/call/streamed_answer.h"

namespace igpt {
namespace {

// Reads once something is there. On the loop's thread.
void ReadWhenReadable(std::shared_ptr<internal::StreamedAnswer> call, absl::AnyInvocable<void(EventResult)> done) {
  internal::StreamedAnswer& waiting = *call;
  waiting.WaitReadable(absl::InfiniteDuration(), [call = std::move(call), done = std::move(done)]() mutable {
    if (std::optional<EventResult> result = call->TryRead()) return done(*std::move(result));
    ReadWhenReadable(std::move(call), std::move(done));  // woken for a wait that this one replaced
  });
}

}  // namespace

EventStream::EventStream(EventLoop& loop, std::shared_ptr<internal::StreamedAnswer> call)
    : loop_(loop), call_(std::move(call)) {}

EventStream::~EventStream() {
  // The call lives and ends on the loop's thread.
  internal::RunOn(loop_, [call = std::move(call_)] { call->Cancel(); });
}

EventResult EventStream::Read() {
  return internal::Await<std::optional<RunEvent>>(
      loop_, [this](absl::AnyInvocable<void(EventResult)> done) { Read(std::move(done)); });
}

void EventStream::Read(absl::AnyInvocable<void(EventResult)> done) {
  internal::RunOn(
      loop_, [call = call_, done = std::move(done)]() mutable { ReadWhenReadable(std::move(call), std::move(done)); });
}

void EventStream::Cancel() {
  internal::RunOn(loop_, [call = call_] { call->Cancel(); });
}

std::optional<EventResult> EventStream::TryRead() {
  return call_->TryRead();
}

bool EventStream::Readable() const {
  return call_->Readable();
}

void EventStream::WaitReadable(absl::Duration timeout, absl::AnyInvocable<void()> wake) {
  call_->WaitReadable(timeout, std::move(wake));
}

}  // namespace igpt
