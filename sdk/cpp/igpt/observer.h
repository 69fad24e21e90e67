// What a Client reports about its requests to iGPT, for metrics.
#pragma once

#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "igpt/error.h"

namespace igpt {

// A request to iGPT that has ended. A call that is repeated makes several. Holds no key, no user and no text.
struct RequestReport {
  std::string_view route;  // "recall/ask": what comes after the base URL and a slash
  // nullopt: the answer was read to its end, whatever it says. Else why not; kAborted and kDeadline are the caller's.
  std::optional<ErrorKind> error;
  absl::Duration duration;  // name resolution and connect included
  bool retry = false;       // the call had sent a request before
  int sends = 0;            // 0: it ended before it was sent; over 1: earlier connections turned out to be dead
  int new_connections = 0;  // opened for it; all other sends were on pooled ones
};

// On the thread of the Client's event loop. Must not block, and not use the Client.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void OnRequestEnd(const RequestReport& report) = 0;
  // A look-up of the host's name ended. Requests share look-ups, and their results are kept for a while.
  virtual void OnLookupEnd(bool found) = 0;
};

}  // namespace igpt
