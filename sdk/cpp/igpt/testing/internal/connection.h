// One accepted TCP connection of a scripted server, as its own thread uses it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "igpt/testing/event.h"
#include "igpt/testing/internal/unique_fd.h"

namespace igpt::testing {

// Once `stop` is set, every wait ends and every step fails at once. Not thread-safe.
class Connection {
 public:
  Connection(int number, UniqueFd socket, const Event& stop);

  int number() const { return number_; }

  // Waits for data from the peer and appends it to `buffer`. Returns false if nothing more will come.
  [[nodiscard]] bool Receive(std::string& buffer);

  // Returns false if not everything was sent, because the peer is gone or this side was closed.
  bool Send(std::string_view bytes);

  // Sends `piece` again and again until the socket has accepted nothing for `quiet`, or `limit` bytes were sent.
  // Returns how many were. The rest of a piece that was cut is sent by the next Send.
  size_t SendUntilBlocked(std::string_view piece, size_t limit, absl::Duration quiet);

  // Waits until the peer or this side has closed or reset the connection.
  bool AwaitPeerClosed(absl::Duration limit);

  // Waits until `event` is set.
  bool AwaitEvent(const Event& event) const;

  // Closes this side (FIN). The peer still receives what was sent before.
  void CloseSending();

  // Resets the connection (RST), and discards what the peer has not received yet.
  void Reset();

 private:
  bool SendAll(std::string_view bytes);
  // Sends as many of `bytes` as the socket accepts now. Returns 0 if it is full, -1 if it is broken.
  ssize_t SendSome(std::string_view bytes);

  const int number_;
  UniqueFd socket_;  // non-blocking
  const Event& stop_;
  bool sending_ = true;
  std::string unsent_;  // the rest of a piece that was cut
};

}  // namespace igpt::testing
