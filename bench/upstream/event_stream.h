// One streamed answer as HTTP bytes: its head, run.start, the deltas, run.done, with each event in its own chunk. Does
// no I/O, and gets the time as an argument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "bench/upstream/directives.h"

namespace igpt::bench {

// How much is produced at once, which bounds the memory of a stream that is read slowly.
inline constexpr size_t kPieceBytes = size_t{64} * 1024;

// Times are nanoseconds of CLOCK_MONOTONIC.
class EventStream {
 public:
  // Create it when its first piece is produced: `now` is run.start's timestamp. `number` counts the streams, and gives
  // the deltas of each paced stream another phase.
  EventStream(int64_t number, const Directives& directives, int64_t now);

  // Appends the events that are due to `piece`, up to kPieceBytes, with the timestamp `now`. Allocates nothing if
  // `piece` has the capacity.
  void Produce(int64_t now, std::string& piece);

  // When there is more to produce: in the past if the last piece was too small for everything that was due.
  int64_t due() const { return due_; }
  // Whether everything was produced.
  bool done() const { return state_ == State::kDone; }

 private:
  enum class State { kStart, kDeltas, kDone };

  void ProduceStart(std::string& piece);
  void ProduceDelta(int64_t now, std::string& piece);
  void ProduceDone(int64_t now, std::string& piece);

  const int64_t events_;
  const int64_t period_;
  const int64_t started_;
  State state_ = State::kStart;
  int64_t seq_ = 0;  // the last event's: run.start has 0, the first delta 1
  int64_t due_;
};

}  // namespace igpt::bench
