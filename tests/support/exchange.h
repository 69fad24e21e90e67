// One request to a scripted server and the bytes that answer it.
#pragma once

#include <cstddef>
#include <string_view>

#include "absl/time/time.h"
#include "tests/support/connection.h"
#include "tests/support/event.h"
#include "tests/support/http_message.h"

namespace igpt::testing {

// What a handler writes its script with: straight-line code on the connection's own thread.
//
// Nothing is sent, framed or closed unless the script says so. A step that returns bool says whether all of it was
// done: false once the peer is gone, the connection was closed or reset by the script, or the server stops. After that
// every further step fails at once, so a script may ignore the results unless it loops.
class Exchange {
 public:
  Exchange(Connection& connection, const HttpRequest& request) : connection_(connection), request_(request) {}

  const HttpRequest& request() const { return request_; }

  // Bytes, as they are.
  bool Send(std::string_view bytes) { return connection_.Send(bytes); }
  // The same, each byte in a write and a segment of its own.
  bool SendBytewise(std::string_view bytes);

  // A whole answer, framed by Content-Length.
  bool Answer(int status, std::string_view body, HttpHeaders headers = {{"Content-Type", "application/json"}});

  // An answer piece by piece; see Head(), Chunk() and SseEvent().
  bool SendHead(int status, const HttpHeaders& headers) { return Send(Head(status, headers)); }
  bool SendChunk(std::string_view data) { return Send(Chunk(data)); }
  bool EndChunked() { return Send(kLastChunk); }

  // A chunked SSE stream: its head, then each event as a chunk of its own. EndChunked() ends it.
  bool StartSse();
  template <typename... Json>
  bool SendSse(const Json&... json) {
    return (SendChunk(SseEvent(json)) && ...);
  }

  // For backpressure: sends `piece` again and again, as fast as the peer reads, until the socket has taken nothing for
  // `quiet`, or `limit` bytes went out. Returns how many did: less than `limit` means that the peer held the stream
  // back (or is gone). A piece that was cut by that goes on with the next Send.
  size_t SendUntilBlocked(std::string_view piece, size_t limit, absl::Duration quiet = absl::Seconds(1)) {
    return connection_.SendUntilBlocked(piece, limit, quiet);
  }

  // Waits for something that the test sets.
  bool WaitFor(const Event& event) { return connection_.AwaitEvent(event); }
  // Waits until the peer has closed its side, or reset the connection.
  bool AwaitPeerClosed(absl::Duration limit = kWaitLimit) { return connection_.AwaitPeerClosed(limit); }
  // Keeps the connection open and silent until the peer closes its side or the server stops.
  void Stall() { connection_.AwaitPeerClosed(absl::InfiniteDuration()); }

  // Ends the connection in order (FIN): everything that was sent arrives.
  void Close() { connection_.CloseSending(); }
  // Breaks the connection (RST): the peer may not get all that was sent.
  void Reset() { connection_.Reset(); }

 private:
  Connection& connection_;
  const HttpRequest& request_;
};

}  // namespace igpt::testing
