// A call whose answer comes event by event: what an EventStream reads from.
#pragma once

#include <memory>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "igpt/call_info.h"
#include "igpt/event_stream.h"
#include "igpt/internal/call/client_core.h"
#include "igpt/monotonic_time.h"
#include "igpt/unstable/event_loop.h"

namespace igpt::internal {

// Keeps the one pending read. On the loop's thread, but for its construction.
class StreamCall : public std::enable_shared_from_this<StreamCall> {
 public:
  virtual ~StreamCall() = default;
  StreamCall(const StreamCall&) = delete;
  StreamCall& operator=(const StreamCall&) = delete;

  virtual CallInfo Info() const = 0;
  // The next result, if it is here already; else nullopt.
  virtual std::optional<EventResult> TryRead() = 0;
  // Whether it may be.
  virtual bool Readable() const = 0;
  virtual void Cancel() = 0;

  // Runs `wake` once, later, when the stream is readable or `timeout` has passed. Replaces an earlier wait.
  void WaitReadable(absl::Duration timeout, absl::AnyInvocable<void()> wake);
  // Gives `done` the next result; nullopt if there is none at `end`.
  using Done = absl::AnyInvocable<void(std::optional<EventResult>)>;
  void Read(MonotonicTime end, Done done);

 protected:
  explicit StreamCall(ClientCore& core) : core_(core), wake_timer_(core.loop, [this] { WakeReader(); }) {}

  void WakeReader();  // at the end of the turn
  void RunReader();   // now, if one is pending

  ClientCore& core_;

 private:
  absl::AnyInvocable<void()> wake_;  // the pending wait
  bool reading_ = false;             // it is a Read
  bool waking_ = false;              // it runs at the end of the turn
  EventLoop::Timer wake_timer_;
};

}  // namespace igpt::internal
