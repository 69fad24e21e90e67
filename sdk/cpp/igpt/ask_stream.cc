#include "igpt/ask_stream.h"

#include <future>
#include <utility>

#include "absl/status/status.h"
#include "igpt/internal/ask_call.h"

namespace igpt {
namespace {

// Reads once something is there. On the loop's thread.
void ReadWhenReadable(std::shared_ptr<internal::AskCall> call, absl::AnyInvocable<void(AskResult)> done) {
  internal::AskCall& waiting = *call;
  waiting.WaitReadable(absl::InfiniteDuration(), [call = std::move(call), done = std::move(done)]() mutable {
    if (std::optional<AskResult> result = call->TryRead()) return done(*std::move(result));
    ReadWhenReadable(std::move(call), std::move(done));  // woken for a wait that this one replaced
  });
}

}  // namespace

AskStream::AskStream(EventLoop& loop, std::shared_ptr<internal::AskCall> call) : loop_(loop), call_(std::move(call)) {}

AskStream::~AskStream() {
  // The call lives and ends on the loop's thread.
  if (loop_.InLoop()) {
    call_->Cancel();
  } else {
    loop_.Post([call = std::move(call_)] { call->Cancel(); });
  }
}

AskResult AskStream::Read() {
  if (loop_.InLoop()) return absl::FailedPreconditionError("a blocking Read on the event loop's own thread");
  std::promise<AskResult> promise;
  std::future<AskResult> result = promise.get_future();
  Read([promise = std::move(promise)](AskResult read) mutable { promise.set_value(std::move(read)); });
  return result.get();
}

void AskStream::Read(absl::AnyInvocable<void(AskResult)> done) {
  if (loop_.InLoop()) return ReadWhenReadable(call_, std::move(done));
  loop_.Post([call = call_, done = std::move(done)]() mutable { ReadWhenReadable(std::move(call), std::move(done)); });
}

void AskStream::Cancel() {
  if (loop_.InLoop()) return call_->Cancel();
  loop_.Post([call = call_] { call->Cancel(); });
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
