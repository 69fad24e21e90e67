// One accepted TCP connection of a scripted server, as its own thread uses it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "tests/support/event.h"
#include "tests/support/unique_fd.h"

namespace igpt::testing {

// Every wait ends when `stop` is set, and from then on every step fails at once. Used by one thread.
class Connection {
 public:
  Connection(int number, UniqueFd socket, const Event& stop);

  int number() const { return number_; }

  // Appends what the peer sent to `buffer`, after waiting for it. False when nothing more will come.
  [[nodiscard]] bool Receive(std::string& buffer);

  // False when not everything went out: the peer is gone, or this side was closed.
  bool Send(std::string_view bytes);

  // Sends `piece` again and again until the socket has taken nothing for `quiet`, or `limit` bytes went out. How many
  // did. A piece that was cut by that goes on with the next Send.
  size_t SendUntilBlocked(std::string_view piece, size_t limit, absl::Duration quiet);

  // True once the peer has closed its side or reset the connection, or this side did.
  bool AwaitPeerClosed(absl::Duration limit);

  // True once `event` is set.
  bool AwaitEvent(const Event& event) const;

  // Ends this side (FIN). The peer still gets what was sent before.
  void CloseSending();

  // Throws the connection away (RST), with what the peer did not receive yet.
  void Reset();

 private:
  bool SendAll(std::string_view bytes);
  // As much of `bytes` as the socket takes now: 0 when it is full, -1 when it is broken.
  ssize_t SendSome(std::string_view bytes);

  const int number_;
  UniqueFd socket_;  // non-blocking
  const Event& stop_;
  bool sending_ = true;
  std::string unsent_;  // the rest of a cut piece
};

}  // namespace igpt::testing
