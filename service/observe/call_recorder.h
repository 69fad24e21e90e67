// Times a call, counts what it sends, and tells who observes its method.
#pragma once

#include <cstddef>
#include <string_view>

#include "absl/time/time.h"
#include "service/contract/call_status.h"
#include "service/observe/call_record.h"

namespace igptd {

// Observes the calls of one method on one loop, on that loop's thread unless a function says otherwise. Must not block.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  // A call was accepted, and is on its way to its loop. On the thread of the server's queue.
  virtual void OnAccepted() = 0;
  // The loop has it, after so long.
  virtual void OnStarted(absl::Duration waited) = 0;
  // An event of it is about to be written, so long after its acceptance if it is the first, else after the one before.
  virtual void OnEvent(bool first, absl::Duration after) = 0;
  // It ends: before the caller can know.
  virtual void OnEnding(const CallRecord& record) = 0;
};

// One per call, on its loop's thread but for Accepted. What is neither a wait for iGPT nor one for the caller is
// igptd's own time.
class CallRecorder {
 public:
  // `observer` may be null; it outlives this.
  CallRecorder(std::string_view method, CallObserver* observer) : observer_(observer) { record_.method = method; }

  CallRecord& record() { return record_; }
  const CallRecord& record() const { return record_; }
  absl::Time accepted_at() const { return accepted_at_; }

  // On the thread of the server's queue, before anything else.
  void Accepted();
  // Its loop has the call.
  void Started();

  // Around a wait for iGPT.
  void WaitStarts();
  void WaitEnds();

  // A message is about to be sent.
  void Sending(bool is_event, size_t bytes);
  // Whether any was.
  bool sent() const { return sent_; }
  // How long ago that was.
  absl::Duration SinceSending() const;
  // The message had to wait for the caller until now.
  void WaitedForCaller() { record_.waited += SinceSending(); }

  // The call is about to end.
  void Ending(const CallStatus& status);

 private:
  CallObserver* const observer_;
  CallRecord record_;
  absl::Time accepted_at_;
  absl::Time sending_at_;  // the last message
  absl::Time event_at_;    // the last that is no heartbeat
  absl::Time wait_started_at_;
  bool sent_ = false;
};

}  // namespace igptd
