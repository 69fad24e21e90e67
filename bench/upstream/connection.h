// One client: its requests, one after the other, and what is still to be written to it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "bench/upstream/event_stream.h"
#include "bench/upstream/http_request.h"
#include "bench/upstream/socket.h"
#include "bench/upstream/whole_answers.h"

namespace igpt::bench {

// Nanoseconds of CLOCK_MONOTONIC.
int64_t Now();

// What the connections of a loop have in common. The buffers are anybody's, and nobody's after a call.
struct Shared {
  Shared() { piece.reserve(kPieceBytes); }

  WholeAnswers answers;
  int64_t streams = 0;  // so far
  std::string piece;
  std::array<char, size_t{16} * 1024> received;
};

// Every call ends without waiting; afterwards the members below say what the next call has to wait for.
class Connection {
 public:
  Connection(Socket socket, Shared& shared) : socket_(std::move(socket)), shared_(shared) {}

  // False: the connection is over, and with it whatever it was doing.
  [[nodiscard]] bool OnReadable();
  // The socket takes more, or the time is due(): writes once.
  [[nodiscard]] bool Continue();

  int fd() const { return socket_.fd(); }
  // It waits for the socket to take more.
  bool wants_to_write() const { return wants_to_write_; }
  // It waits for this time.
  std::optional<int64_t> due() const;

 private:
  bool Receive();
  // Answers the requests that have arrived as far as the socket takes the answers.
  bool ServeReceived();
  void Answer(const HttpRequest& request);
  bool Busy() const { return stream_ || !unsent_.empty(); }
  bool WriteOnce();

  Socket socket_;
  Shared& shared_;
  std::string input_;
  std::optional<EventStream> stream_;
  std::string_view unsent_;  // a whole answer's, or `kept_`'s
  std::string kept_;         // what the socket didn't take of a piece
  bool wants_to_write_ = false;
};

}  // namespace igpt::bench
