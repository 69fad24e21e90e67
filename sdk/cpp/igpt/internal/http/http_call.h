// One call of the API over HTTP: addresses, request, limits of time, and its repetition. On the loop's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "igpt/event_loop.h"
#include "igpt/internal/client_core.h"
#include "igpt/internal/http/transfer.h"
#include "igpt/internal/policy/http_status.h"
#include "igpt/options.h"

namespace igpt::internal {

// kTooLarge for an answer over Options::max_answer_bytes.
absl::Status AnswerTooLarge(size_t limit);

// An empty text with room for the body that `head` announces, within reason, and for reading it as JSON.
std::string RoomForBody(const ResponseHead& head);

class HttpCall final : public Transfer::Observer {
 public:
  // Is told how the call goes. OnStart and OnBody may run inside libcurl: they must call nothing of the call but
  // Pause(), and no code of a user.
  class Sink {
   public:
    virtual ~Sink() = default;
    // An answer begins that is to be read: 200 with a type that was asked for. Comes again, after another attempt, only
    // as long as MayRepeat() said so.
    virtual void OnStart(const ResponseHead& head) = 0;
    // The next bytes of its body. An error ends the call with it.
    virtual absl::Status OnBody(std::string_view bytes) = 0;
    // Whether the call may still be sent again: nothing of an answer was passed on.
    virtual bool MayRepeat() const = 0;
    // The end, exactly once, never before Start() returned and never inside libcurl. OK: the body was read to its end.
    // The call is not used after it and may be destroyed in it.
    virtual void OnEnd(absl::Status status) = 0;
  };

  // `sink` must outlive the call, and `core` its end.
  HttpCall(ClientCore& core, Route route, std::string body, bool event_stream, CallOptions options, Sink& sink);
  ~HttpCall() override;

  void Start();

  // Ends the call: the request is aborted at once, and OnEnd(kAborted) follows at the end of the turn. Nothing happens
  // when the call has ended. Not inside libcurl.
  void Cancel();

  // Stops and restarts the reading of the answer. The idle limit rests meanwhile. Pause() also inside libcurl.
  void Pause();
  void Resume();

  int attempts() const { return attempts_; }

 private:
  bool OnHead(const ResponseHead& head) override;
  bool OnBody(std::string_view bytes) override;
  void OnCompleted(CURLcode result) override;

  void StartAttempt();
  void CountAttempts(int repeated_by_curl) const;
  void Send(std::string resolve_entry);
  void OnAttemptFailed(HeadVerdict verdict);
  // Whether the throttle lets a request go out.
  bool MaySend();
  absl::Status HeldBack();
  // Tells the observer, once an attempt. nullopt: it has its answer. While the transfer, if any, is still there.
  void ReportAttempt(std::optional<ErrorKind> error);
  void OnProgressTimer();
  void OnDeadline();
  void End(absl::Status status);
  HeadVerdict TimedOut(std::string_view timer) const;

  ClientCore& core_;
  const Route route_;
  const std::string body_;
  const bool event_stream_;
  const CallOptions options_;
  Sink& sink_;

  const int64_t started_at_;  // monotonic nanoseconds, like the next two
  int64_t attempt_started_at_ = 0;
  int64_t last_byte_at_ = 0;  // of the answer; 0: none yet

  bool fresh_connection_;  // takes none from the pool
  int attempts_ = 0;
  bool ended_ = false;
  bool retrying_ = false;    // the attempt is not the call's first
  bool unreported_ = false;  // the attempt runs
  bool resolving_ = false;
  bool accepted_ = false;  // iGPT answered this attempt, whatever it says
  std::unique_ptr<Transfer> transfer_;
  std::optional<HeadVerdict> verdict_;  // the head of this attempt's answer says that it failed
  size_t ignored_bytes_ = 0;            // of that answer's body
  absl::Status body_status_;            // what the sink said
  EventLoop::Timer deadline_timer_;     // the caller's deadline or max_call_duration
  EventLoop::Timer progress_timer_;     // connect while resolving, first byte, idle; then the wait before a retry
  bool caller_deadline_is_first_ = false;
  std::shared_ptr<HttpCall*> self_;  // what callbacks hold weakly that may come after the call's end
};

}  // namespace igpt::internal
