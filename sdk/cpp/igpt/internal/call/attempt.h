// One request to iGPT: the look-up of the host's name, the transfer, the check of the answer's head, and the limits of
// time on each of them. On the loop's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "igpt/internal/call/client_core.h"
#include "igpt/internal/http/transfer.h"
#include "igpt/internal/policy/failed_attempt.h"
#include "igpt/internal/policy/route.h"
#include "igpt/internal/policy/throttle.h"
#include "igpt/options.h"
#include "igpt/unstable/event_loop.h"

namespace igpt::internal {

// Tells the client's observer and throttle how it ended. After its end it does nothing any more.
class Attempt final : public Transfer::Handler {
 public:
  // What is sent. All of it must outlive the attempt, but for the body: see RequestSentWhole.
  struct Request {
    const Route& route;
    const CallOptions& options;
    std::string_view key;
    std::string_view body;
    bool event_stream;  // is asked for
    Throttle::Who who;
  };

  // Is told how the attempt goes. Must not destroy it in any of these, but may do so at the end of the turn.
  class Owner {
   public:
    virtual ~Owner() = default;
    // The head of an answer came, whatever it says. Runs inside libcurl.
    virtual void OnHead(const ResponseHead& head) = 0;
    // That answer is to be read: 200 with a type that was asked for. Returns who takes its body. Runs inside libcurl.
    virtual BodyReceiver& OnAnswer(const ResponseHead& head) = 0;
    // The end, unless it is brought about by Abort(). OnDone: the answer was read to its end, or its receiver refused
    // it. OnFailed: there was no such answer, or not all of it.
    virtual void OnDone(absl::Status status) = 0;
    virtual void OnFailed(FailedAttempt failed) = 0;
  };

  // `earlier_sends`: how often the call has sent a request before. libcurl may send this one `max_sends` times in all,
  // when pooled connections turn out to be dead.
  Attempt(ClientCore& core, const Request& request, int earlier_sends, int max_sends, Owner& owner);
  ~Attempt() override;

  // May call the owner before it returns.
  void Start();

  // Aborts the request at once. `why` is for the observer.
  void Abort(ErrorKind why);

  // Stops and restarts the reading of the answer. The idle limit rests meanwhile. Pause() also inside libcurl.
  void Pause();
  void Resume();

  // Whether the request has been sent whole and its answer began, so that its body is not needed any more. Also inside
  // libcurl.
  bool RequestSentWhole() const { return state_ == State::kReadingAnswer && transfer_->RequestSentWhole(); }

  // How often the request was sent, the first time counted from the start.
  int sends() const;

 private:
  enum class State {
    kLookingUp,      // the hosts' addresses
    kWaiting,        // to be connected, and for the head of the answer
    kReadingAnswer,  // its body goes to the receiver
    kReadingError,   // its body is dropped: it is read so that the connection can be used again
    kEnded,
  };

  BodyReceiver* OnHead(const ResponseHead& head) override;
  void OnCompleted(CURLcode result) override;

  // One name after the other.
  void LookUpNext();
  void FailLookUp(const absl::Status& status);
  void Send();
  void OnSilence();
  void FailTransfer(CURLcode result);
  bool FailedAtProxy(CURLcode result) const;
  // The two ends that the owner is told about, and what all ends have in common. nullopt: the answer was read.
  void Done(absl::Status status);
  void Fail(FailedAttempt failed);
  void End(std::optional<ErrorKind> error);
  void Report(std::optional<ErrorKind> error) const;

  ClientCore& core_;
  const Request request_;
  const std::string traceparent_;  // empty: none is sent
  const int earlier_sends_;
  const int max_sends_;
  Owner& owner_;

  State state_ = State::kLookingUp;
  bool fresh_connection_;              // uses none from the pool
  int64_t started_at_ = 0;             // monotonic nanoseconds
  int sends_ = 1;                      // once the transfer is gone
  std::vector<std::string> resolved_;  // what the resolvers gave so far
  std::unique_ptr<Transfer> transfer_;
  FailedAttempt error_;  // what the head says, in kReadingError
  int http_status_ = 0;  // what the head has

  // connect_timeout in kLookingUp. From then on libcurl keeps it.
  EventLoop::Timer lookup_timer_;
  // How long iGPT may be silent: first_byte_timeout in kWaiting, idle_timeout while it is read.
  EventLoop::Timer silence_timer_;

  std::shared_ptr<Attempt*> self_;  // held weakly by what may come back when the attempt is gone
};

}  // namespace igpt::internal
