// Times a call, counts what it sends, and notifies the observer of its method.
#pragma once

#include <cstddef>
#include <string_view>

#include "absl/time/time.h"
#include "igpt/monotonic_time.h"
#include "service/contract/call_status.h"
#include "service/observe/call_record.h"

namespace igptd {

// The observer of one method's calls on one loop. Called on that loop's thread. Must not block.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  // The call has reached its loop, after waiting this long.
  virtual void OnStarted(absl::Duration waited) = 0;
  // An event is about to be written, `after` the call's acceptance if it is the first, otherwise after the one before.
  virtual void OnEvent(bool first, absl::Duration after) = 0;
  // The call ends. Called before its caller can know.
  virtual void OnEnding(const CallRecord& record) = 0;
};

// One per call, used on its loop's thread. The time that is neither a wait for iGPT nor one for
// the caller is igptd's own.
class CallRecorder {
 public:
  // `observer` may be null; it must outlive this.
  CallRecorder(std::string_view method, CallObserver* observer) : observer_(observer) { record_.method = method; }

  CallRecord& record() { return record_; }
  const CallRecord& record() const { return record_; }
  igpt::MonotonicTime accepted_at() const { return accepted_at_; }

  // The call has reached its loop. Called before anything else. `accepted_at`: when gRPC had handed it over.
  void Started(igpt::MonotonicTime accepted_at);

  // Around a wait for iGPT.
  void WaitStarts();
  void WaitEnds();

  // A message is about to be sent.
  void Sending(bool is_event, size_t bytes);
  // Whether any message was sent.
  bool sent() const { return sent_; }
  // How long ago the last message was sent.
  absl::Duration SinceSending() const;
  // The last message had to wait for the caller until now.
  void WaitedForCaller() { record_.waited += SinceSending(); }

  // The call is about to end.
  void Ending(const CallStatus& status);

 private:
  CallObserver* const observer_;
  CallRecord record_;
  igpt::MonotonicTime accepted_at_;
  igpt::MonotonicTime sending_at_;  // the last message
  igpt::MonotonicTime event_at_;    // the last message that is not a heartbeat
  igpt::MonotonicTime wait_started_at_;
  bool sent_ = false;
};

}  // namespace igptd
