// What the load generator needs to know about an event: whether it is a delta, and when the upstream wrote it. Reads
// only that and checks nothing else. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace igpt::bench {

struct Event {
  enum class Kind { kStart, kDelta, kOther };

  Kind kind = Kind::kOther;
  int64_t written = 0;  // nanoseconds of CLOCK_MONOTONIC; 0: unknown
};

// Of an igpt.v1.AskResponse.
Event ReadAskResponse(std::string_view message);

// Of the data of an SSE event of iGPT.
Event ReadSseData(std::string_view json);

}  // namespace igpt::bench
