// The results of a measurement, and their format.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "bench/load/histogram.h"

namespace igpt::bench {

// Times are nanoseconds.
struct Results {
  int64_t calls_ok = 0;
  std::map<std::string, int64_t, std::less<>> calls_failed;  // by grpc-status, or by another kind of failure
  int64_t messages = 0;
  int64_t events = 0;     // deltas
  int64_t bytes = 0;      // of the messages
  Histogram latency;      // of calls that succeeded
  Histogram failed;       // of calls that failed
  Histogram first;        // from the start of a call to its first message
  Histogram delay;        // of deltas: from the upstream's write to this process's read
  Histogram start_delay;  // the same of run.start
  double seconds = 0;
  double cpu_seconds = 0;  // of this process
  int slow_readers = 0;    // whose calls are still running at the end
};

// One line of JSON.
std::string ToJson(const Results& results);

}  // namespace igpt::bench
