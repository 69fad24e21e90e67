// A request that is sent again where that is safe and can help: attempts within one deadline, by the retry policy, its
// budget and the throttle. On the loop's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "igpt/call_info.h"
#include "igpt/internal/call/attempt.h"
#include "igpt/internal/call/call_limits.h"
#include "igpt/internal/call/client_core.h"
#include "igpt/internal/call/places.h"
#include "igpt/internal/policy/throttle.h"
#include "igpt/monotonic_time.h"
#include "igpt/options.h"
#include "igpt/unstable/event_loop.h"

namespace igpt::internal {

class RetryingRequest final : public Attempt::Owner {
 public:
  // Takes the answer. OnStart and OnBody may run inside libcurl: they must call nothing of the request but Pause(), and
  // no code of a user.
  class Receiver : public BodyReceiver {
   public:
    // An answer begins that is to be read: 200 with a type that was asked for. Comes again for a later attempt, which
    // there is only if MayRepeat() allowed it.
    virtual void OnStart(const ResponseHead& head) = 0;
    // Whether the request may still be sent again: nothing of an answer was passed on.
    virtual bool MayRepeat() const = 0;
    // The end, exactly once, never before Start() returned and never inside libcurl. OK: the body was read to its end.
    // The request is not used after it and may be destroyed in it.
    virtual void OnEnd(absl::Status status) = 0;
  };

  // `receiver` must outlive the request, and `core` its end. `event_stream`: whether one is asked for. `user`: whom it
  // is for.
  RetryingRequest(ClientCore& core, const Route& route, std::string body, bool event_stream, const std::string& user,
                  CallOptions options, Receiver& receiver);

  void Start();

  // Ends the request: it is aborted at once, and OnEnd(kAborted) follows at the end of the turn. Nothing happens when
  // it has ended. Not inside libcurl.
  void Cancel() { limits_.Cancel(); }

  // Stops and restarts the reading of the answer. The idle limit rests meanwhile. Pause() also inside libcurl.
  void Pause();
  void Resume();

  // The receiver allows no repetition any more: lets go of the body, if it has been sent. Also inside libcurl.
  void WillNotRepeat();

  // What is known so far; after the end, all of it. TakeInfo() leaves nothing: for OnEnd.
  CallInfo Info() const;
  CallInfo TakeInfo();
  // Whether the throttle held it back, so that nothing was sent.
  bool held_back() const { return held_back_; }

 private:
  void OnHead(const ResponseHead& head) override;
  BodyReceiver& OnAnswer(const ResponseHead& head) override;
  void OnDone(absl::Status status) override;
  void OnFailed(FailedAttempt failed) override;

  // Its turn has come: see Places.
  void Begin();
  void StartAttempt();
  int attempts() const;
  absl::StatusOr<std::string> Key() const;
  double Random();
  // OK, unless the throttle holds it back.
  absl::Status MaySend();
  // How long to wait before the next attempt; nullopt when there is to be none.
  std::optional<absl::Duration> DelayAfter(const FailedAttempt& failed);
  void NoteRetry(const FailedAttempt& failed, absl::Duration delay) const;
  void OnLimit(FailedAttempt why);
  void End(absl::Status status);

  ClientCore& core_;
  const Route& route_;
  std::string body_;
  const bool event_stream_;
  const CallOptions options_;  // with a request id
  const Throttle::Who who_;
  Receiver& receiver_;

  const MonotonicTime started_at_;
  std::string key_;                 // of the current attempt
  int earlier_attempts_ = 0;        // how often the attempts before the current one were sent
  std::optional<Attempt> attempt_;  // the current one, or the last
  CallLimits limits_;
  Places::Place place_;           // from Start() to the end
  EventLoop::Timer retry_timer_;  // the wait before the next attempt
  CallInfo info_;                 // but for its attempts, and until the end its duration
  bool held_back_ = false;
  bool ended_ = false;
  std::shared_ptr<RetryingRequest*> self_;  // held weakly by what may come back when the request is gone
};

}  // namespace igpt::internal
