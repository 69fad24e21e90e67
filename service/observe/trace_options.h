// How calls are sampled, and where their spans go.
#pragma once

#include <cstddef>
#include <string>

#include "absl/time/time.h"

namespace igptd {

// Which calls are recorded as spans.
struct Sampling {
  bool as_parent = true;  // those with a parent as it was; only those that start a trace by the ratio
  double ratio = 1;       // from 0 to 1
};

// The defaults are those of OpenTelemetry's specification.
struct TraceOptions {
  std::string url = {};  // where spans are posted; empty: none are recorded
  bool json = false;     // as http/json, otherwise as http/protobuf
  bool gzip = false;
  absl::Duration timeout = absl::Seconds(10);  // of a request
  Sampling sampling = {};
  // Spans wait until one has waited for the delay or there are enough for a batch. What doesn't fit into the queue is
  // lost.
  absl::Duration delay = absl::Seconds(5);
  size_t queue_size = 2048;
  size_t batch_size = 512;
};

}  // namespace igptd
