// The events of one streamed answer, as bytes of HTTP: its head, run.start, the deltas, run.done, each event a chunk of
// its own. Does no I/O; time is handed in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "bench/upstream/directives.h"

namespace igpt::bench {

// How much is made in one go: what bounds the memory of a stream that is read slowly.
inline constexpr size_t kPieceBytes = size_t{64} * 1024;

// Times are nanoseconds of CLOCK_MONOTONIC.
class EventStream {
 public:
  // To be made when its first piece is produced: run.start is stamped with this `now`. `number` counts the streams:
  // each number gives the deltas of a paced stream another phase.
  EventStream(int64_t number, const Directives& directives, int64_t now);

  // Appends what is due to `piece`, up to kPieceBytes, stamped with `now`. Allocates nothing when `piece` has the room.
  void Produce(int64_t now, std::string& piece);

  // When there is more to produce: in the past when the last piece was too small for all that was due.
  int64_t due() const { return due_; }
  // Everything was produced.
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
  int64_t seq_ = 0;  // of the last event: run.start has 0, the first delta 1
  int64_t due_;
};

}  // namespace igpt::bench
