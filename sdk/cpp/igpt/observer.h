// What a Client tells of its requests to iGPT: for metrics.
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
  absl::Duration duration;  // with name resolution and connect
  bool retry = false;       // the call had sent a request before
  int sends = 0;            // 0: it ended before; over 1: the connections before the last turned out to be dead
  int new_connections = 0;  // that were begun for it; every other send was on a pooled one
};

// On the thread of the Client's event loop. Must not block, and not use the Client.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void OnRequestEnd(const RequestReport& report) = 0;
  // A look-up of the host's name ended. Look-ups are shared by requests, and their results kept for a while.
  virtual void OnLookupEnd(bool found) = 0;
};

}  // namespace igpt
