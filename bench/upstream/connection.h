// A client's connection: its requests, one after the other, and the data still to be written to it.
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

// What the connections of a loop share. The buffers keep nothing between calls.
struct Shared {
  Shared() { piece.reserve(kPieceBytes); }

  WholeAnswers answers;
  int64_t streams = 0;  // so far
  std::string piece;
  std::array<char, size_t{16} * 1024> received;
};

// No call blocks. After a call, the members below say what the next one has to wait for.
class Connection {
 public:
  Connection(Socket socket, Shared& shared) : socket_(std::move(socket)), shared_(shared) {}

  // Returns false if the connection has ended.
  [[nodiscard]] bool OnReadable();
  // Writes once. Call it if the socket accepts more data, or at due().
  [[nodiscard]] bool Continue();

  int fd() const { return socket_.fd(); }
  // Whether it waits for the socket to accept more data.
  bool wants_to_write() const { return wants_to_write_; }
  // The time that it waits for, if any.
  std::optional<int64_t> due() const;

 private:
  bool Receive();
  // Answers the requests that have arrived, as far as the socket accepts the answers.
  bool ServeReceived();
  void Answer(const HttpRequest& request);
  bool Busy() const { return stream_ || !unsent_.empty(); }
  bool WriteOnce();

  Socket socket_;
  Shared& shared_;
  std::string input_;
  std::optional<EventStream> stream_;
  std::string_view unsent_;  // the unsent part of a whole answer, or of `kept_`
  std::string kept_;         // the part of a piece that the socket didn't accept
  bool wants_to_write_ = false;
};

}  // namespace igpt::bench
