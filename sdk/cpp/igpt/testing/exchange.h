// One request to a scripted server, and its answer byte by byte.
#pragma once

#include <cstddef>
#include <string_view>

#include "absl/time/time.h"
#include "igpt/testing/event.h"
#include "igpt/testing/http_message.h"

namespace igpt::testing {

class Connection;

// The steps of a handler's script, which is straight-line code on the connection's own thread.
//
// Nothing is sent, framed or closed unless the script does it. A step that returns bool returns false if it was not
// completed: the peer is gone, the script closed or reset the connection, or the server stops. After that every further
// step fails at once, so a script may ignore the results unless it loops.
class Exchange {
 public:
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  const HttpRequest& request() const { return request_; }

  // Sends the bytes as they are.
  bool Send(std::string_view bytes);
  // The same, with each byte in its own write and segment.
  bool SendBytewise(std::string_view bytes);

  // Sends a whole answer, framed by Content-Length.
  bool Answer(int status, std::string_view body, HttpHeaders headers = {{"Content-Type", "application/json"}});

  // Send an answer piece by piece; see Head(), Chunk() and SseEvent().
  bool SendHead(int status, const HttpHeaders& headers) { return Send(Head(status, headers)); }
  bool SendChunk(std::string_view data) { return Send(Chunk(data)); }
  bool EndChunked() { return Send(kLastChunk); }

  // Start a chunked SSE stream, and send each event as a chunk of its own. EndChunked() ends the stream.
  bool StartSse();
  template <typename... Json>
  bool SendSse(const Json&... json) {
    return (SendChunk(SseEvent(json)) && ...);
  }

  // For backpressure: sends `piece` again and again, as fast as the peer reads, until the socket has accepted nothing
  // for `quiet`, or `limit` bytes were sent. Returns how many were: less than `limit` means that the peer held the
  // stream back (or is gone). The rest of a piece that was cut is sent by the next Send.
  size_t SendUntilBlocked(std::string_view piece, size_t limit, absl::Duration quiet = absl::Seconds(1));

  // Waits until the test sets `event`.
  bool WaitFor(const Event& event);
  // Waits until the peer has closed or reset the connection.
  bool AwaitPeerClosed(absl::Duration limit = kWaitLimit);
  // Keeps the connection open and silent until the peer closes its side or the server stops.
  void Stall() { AwaitPeerClosed(absl::InfiniteDuration()); }

  // Closes the connection (FIN): everything that was sent arrives.
  void Close();
  // Resets the connection (RST): the peer may not receive everything that was sent.
  void Reset();

 private:
  friend class ScriptedHttpServer;
  Exchange(Connection& connection, const HttpRequest& request) : connection_(connection), request_(request) {}

  Connection& connection_;
  const HttpRequest& request_;
};

}  // namespace igpt::testing
