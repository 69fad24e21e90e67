// One TCP connection, read and written within time limits.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace igptd {

// How long to wait for the client.
struct HttpPatience {
  absl::Duration read = absl::Minutes(1);                // for more of a request
  absl::Duration request = absl::InfiniteDuration();     // for the whole of a request, from when it is waited for
  absl::Duration write = absl::InfiniteDuration();       // for room to write
  absl::Duration connection = absl::InfiniteDuration();  // for everything together, from the connection's beginning
};

// Not thread-safe.
class HttpConnection {
 public:
  // `fd` stays its owner's.
  HttpConnection(int fd, const HttpPatience& patience);

  // Whether data, or the end of the connection, came within the time.
  bool WaitForData(absl::Duration timeout) const;

  // From now on the time of `HttpPatience::request` runs, for the next request.
  void BeginRequest() { request_start_ = Clock::now(); }

  // Waits for more to come and appends it. False when the client is gone or the time is up.
  bool Receive(std::string& buffer);

  // Sends all of it. False when the client is gone or the time is up.
  bool Send(std::string_view data);

  // False once the client is gone.
  bool IsOpen() const;

  // Tells the client that nothing more is sent, and drops what it still sends. Closing a connection with unread data
  // resets it, and the client may then lose the last response.
  void Linger();

 private:
  using Clock = std::chrono::steady_clock;

  // Which of `events` happened within the time, or that the client went away; 0 when nothing did.
  int Poll(int events, absl::Duration timeout) const;

  const int fd_;
  const HttpPatience patience_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point request_start_ = start_;
};

}  // namespace igptd
