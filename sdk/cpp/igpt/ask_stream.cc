#include "igpt/ask_stream.h"

#include <utility>

#include "igpt/internal/call/on_loop.h"
#include "igpt/internal/call/streamed_answer.h"

namespace igpt {
namespace {

// Reads once something is there. On the loop's thread.
void ReadWhenReadable(std::shared_ptr<internal::StreamedAnswer> call, absl::AnyInvocable<void(AskResult)> done) {
  internal::StreamedAnswer& waiting = *call;
  waiting.WaitReadable(absl::InfiniteDuration(), [call = std::move(call), done = std::move(done)]() mutable {
    if (std::optional<AskResult> result = call->TryRead()) return done(*std::move(result));
    ReadWhenReadable(std::move(call), std::move(done));  // woken for a wait that this one replaced
  });
}

}  // namespace

AskStream::AskStream(EventLoop& loop, std::shared_ptr<internal::StreamedAnswer> call)
    : loop_(loop), call_(std::move(call)) {}

AskStream::~AskStream() {
  // The call lives and ends on the loop's thread.
  internal::RunOn(loop_, [call = std::move(call_)] { call->Cancel(); });
}

AskResult AskStream::Read() {
  return internal::Await<std::optional<AskEvent>>(
      loop_, [this](absl::AnyInvocable<void(AskResult)> done) { Read(std::move(done)); });
}

void AskStream::Read(absl::AnyInvocable<void(AskResult)> done) {
  internal::RunOn(
      loop_, [call = call_, done = std::move(done)]() mutable { ReadWhenReadable(std::move(call), std::move(done)); });
}

void AskStream::Cancel() {
  internal::RunOn(loop_, [call = call_] { call->Cancel(); });
}

std::optional<AskResult> AskStream::TryRead() {
  return call_->TryRead();
}

bool AskStream::Readable() const {
  return call_->Readable();
}

void AskStream::WaitReadable(absl::Duration timeout, absl::AnyInvocable<void()> wake) {
  call_->WaitReadable(timeout, std::move(wake));
}

}  // namespace igpt
