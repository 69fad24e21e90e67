// What a Client reports about its calls and their requests to iGPT, for metrics and logs.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "igpt/call_info.h"
#include "igpt/error.h"

namespace igpt::inline sdk_v1 {

// A request to iGPT that has ended. A call that is repeated makes several. Holds no key, no user and no text.
struct RequestReport {
  std::string_view route;  // "recall/ask": what comes after the base URL and a slash
  // nullopt: the answer was read to its end, whatever it says. Else why not; kAborted and kDeadline are the caller's.
  std::optional<ErrorKind> error;
  absl::Duration duration;  // name resolution and connect included
  bool retry = false;       // the call had sent a request before
  int sends = 0;            // 0: it ended before it was sent; over 1: earlier connections turned out to be dead
  int new_connections = 0;  // opened for it; all other sends were on pooled ones
  int http_status = 0;      // 0: there was no answer
  std::string_view http_version = {};  // of the answer: "1.1" or "2"; empty: there was none
  // To be copied if they are kept, like the two below.
  std::string_view request_id = {};   // of its call
  std::string_view traceparent = {};  // that it was sent with, if CallOptions::traceparent is set
  std::string_view parent = {};       // CallOptions::traceparent
  int resends = 0;                    // how often the call had sent a request before this one was sent the last time
};

// A call that has ended: an answer was there, or the stream's end was read, or it failed, or was given up.
struct CallReport {
  std::string_view route;               // as above
  const CallInfo& call;                 // to be copied if it is kept
  std::optional<ErrorKind> error = {};  // nullopt: it succeeded
  int64_t events_delivered = 0;         // streams
  bool held_back = false;  // nothing was sent, because iGPT fails most requests: see CallOptions::throttle_group
};

// On the thread of the Client's event loop. Must not block, and not use the Client.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void OnRequestEnd(const RequestReport& /*report*/) {}
  // Once for every call, also for those that sent nothing.
  virtual void OnCallEnd(const CallReport& /*report*/) {}
  // A look-up of the host's name ended. Requests share look-ups, and their results are kept for a while.
  virtual void OnLookupEnd(bool /*found*/) {}
};

}  // namespace igpt::inline sdk_v1
