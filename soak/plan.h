// What each call of a soak does, and what happens to it. Pure: the same seed gives the same plan.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace igpt::soak {

// Of kAsk and kWholeAnswer, every second call is a Run: see IsRun.
enum class Rpc { kAsk, kWholeAnswer, kSearch, kList, kDisconnect, kAuthorize, kCount };

// What goes wrong upstream, after a number of complete events.
enum class Fault {
  kNone,
  kFin,          // the connection is closed, anywhere in the answer
  kRst,          // the connection is reset
  kStall,        // nothing more is sent
  kStatus,       // a 5xx
  kRateLimited,  // 429
  kErrorEvent,   // {"error": …}
  kMalformed,    // an event that is not JSON
  kUnfinished,   // the body ends properly, but the run doesn't
  kFlood,        // an endless stream, as fast as it is read
  kCount
};

// When the caller cancels.
enum class Cancel { kNever, kAtOnce, kAnyTime, kBeforeHead, kMidStream, kPaused, kRetryDelay, kCount };

struct CallPlan {
  uint32_t call = 0;
  uint32_t user = 0;
  Rpc rpc = Rpc::kAsk;
  int events = 1;  // marks in the whole answer; a stream's first and last event count
  size_t padding = 0;
  absl::Duration pace;  // between two events

  Fault fault = Fault::kNone;
  int faulty_attempts = 0;  // how many attempts, from the first on, have the fault
  int whole_before = 0;     // complete events before it; -1: not even the head is complete
  double cut = 0;           // where in the next piece kFin or kRst happens, from 0 to below 1
  int status = 503;         // for kStatus

  Cancel cancel = Cancel::kNever;
  int cancel_after = 0;         // for kMidStream: after this many events
  absl::Duration cancel_delay;  // from the start for kAnyTime, otherwise from the moment that it waits for
  absl::Duration deadline = absl::InfiniteDuration();
  absl::Duration read_delay;  // before each event is read
};

CallPlan PlanOf(uint64_t seed, uint32_t call);

bool IsStream(const CallPlan& plan);
// Whether it is a Run rather than an Ask.
bool IsRun(const CallPlan& plan);

// For people.
const char* ToText(Rpc rpc);
const char* ToText(Fault fault);
const char* ToText(Cancel cancel);
std::string Describe(const CallPlan& plan);

}  // namespace igpt::soak
