// A run, whole and as the stream of its events, as iGPT documents them. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "service/sandbox/json.h"

namespace igptd::sandbox {

struct Run {
  std::string id;
  absl::Time started;
  std::string question;
  std::string quality;
  std::string reasoning_effort;
  Json output_format;  // as it was asked for
  Json datasources;    // what the run can use
  Json sources;        // what it found
  Json output;         // the answer: a string of prose, or JSON
};

// Every event but the last, in order, `seq` rising from 0. The deltas joined are the answer, a word or a few at a time.
std::vector<Json> RunEvents(const Run& run);

// The last event, run.done, of a run that took so long.
Json RunDone(const Run& run, size_t seq, absl::Duration took);

// The same as an answer that isn't streamed.
Json WholeAnswer(const Run& run, absl::Duration took);

}  // namespace igptd::sandbox
