#include "igpt/event_stream.h"

#include <utility>

#include "igpt/internal/base/fork.h"
#include "igpt/internal/base/thread_pool.h"
#include "igpt/internal/call/on_loop.h"
#include "igpt/internal/call/shared_client.h"
#include "igpt/internal/call/streamed_answer.h"

namespace igpt {

using internal::RunOn;

EventStream::EventStream(internal::ClientRef client, std::shared_ptr<internal::StreamedAnswer> call)
    : client_(std::move(client)), call_(std::move(call)) {}

EventStream::~EventStream() {
  if (!client_->Usable().ok()) {
    internal::KeepForever(std::move(call_));
    return;
  }
  // The call lives and ends on the loop's thread.
  RunOn(client_->loop(), [call = std::move(call_)] { call->Cancel(); });
}

EventResult EventStream::Read() {
  if (absl::Status usable = client_->Usable(); !usable.ok()) return usable;
  EventLoop& loop = client_->loop();
  return internal::Await<std::optional<RunEvent>>(loop, [&](absl::AnyInvocable<void(EventResult)> done) {
    RunOn(loop, [call = call_, done = std::move(done)]() mutable { call->Read(std::move(done)); });
  });
}

void EventStream::Read(absl::AnyInvocable<void(EventResult)> done) {
  if (done == nullptr) done = [](const EventResult&) {};
  if (absl::Status usable = client_->Usable(); !usable.ok()) {
    return internal::DefaultExecutor()->Run(
        [done = std::move(done), usable = std::move(usable)]() mutable { done(std::move(usable)); });
  }
  RunOn(client_->loop(), [call = call_, done = client_->core().callbacks->Wrap(std::move(done))]() mutable {
    call->Read(std::move(done));
  });
}

void EventStream::Cancel() {
  if (!client_->Usable().ok()) return;
  RunOn(client_->loop(), [call = call_] { call->Cancel(); });
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
