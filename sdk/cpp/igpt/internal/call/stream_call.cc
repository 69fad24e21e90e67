#include "igpt/internal/call/stream_call.h"

#include <utility>

#include "igpt/error.h"

namespace igpt::internal {

void StreamCall::WaitReadable(absl::Duration timeout, absl::AnyInvocable<void()> wake) {
  wake_ = std::move(wake);
  reading_ = false;
  if (Readable()) return WakeReader();
  wake_timer_.Arm(timeout);
}

void StreamCall::Read(MonotonicTime end, Done done) {
  if (reading_) {
    return core_.loop.Defer([done = std::move(done)]() mutable {
      done(EventResult(MakeStatus(ErrorKind::kConfiguration, "another read of this stream is pending")));
    });
  }
  WaitReadable(end - MonotonicTime::Now(), [self = shared_from_this(), end, done = std::move(done)]() mutable {
    self->reading_ = false;
    std::optional<EventResult> result = self->TryRead();
    // What there was may have been nothing to read, such as an event after the end of the run.
    if (!result.has_value() && MonotonicTime::Now() < end) return self->Read(end, std::move(done));
    done(std::move(result));
  });
  reading_ = true;
}

void StreamCall::WakeReader() {
  if (wake_ == nullptr || waking_) return;
  waking_ = true;
  core_.loop.Defer([self = shared_from_this()] {
    self->waking_ = false;
    self->RunReader();
  });
}

void StreamCall::RunReader() {
  wake_timer_.Cancel();
  if (absl::AnyInvocable<void()> wake = std::exchange(wake_, nullptr)) wake();
}

}  // namespace igpt::internal
