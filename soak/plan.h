// What each call of a soak does and what is done to it. Pure: the same seed makes the same plan.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace igpt::soak {

enum class Rpc { kAsk, kWholeAnswer, kSearch, kList, kDisconnect, kAuthorize, kCount };

// What goes wrong upstream, after so many whole events.
enum class Fault {
  kNone,
  kFin,          // the connection is closed in order, wherever the answer is then
  kRst,          // it is thrown away
  kStall,        // nothing more comes
  kStatus,       // a 5xx
  kRateLimited,  // 429
  kErrorEvent,   // {"error": …}
  kMalformed,    // an event that is no JSON
  kUnfinished,   // the body ends whole, the run doesn't
  kFlood,        // it never ends, and comes as fast as it is read
  kCount
};

// When the caller cancels.
enum class Cancel { kNever, kAtOnce, kAnyTime, kBeforeHead, kMidStream, kPaused, kRetryDelay, kCount };

struct CallPlan {
  uint32_t call = 0;
  uint32_t user = 0;
  Rpc rpc = Rpc::kAsk;
  int events = 1;  // marks in the whole answer; for a stream its first and last event are two of them
  size_t padding = 0;
  absl::Duration pace;  // between two events

  Fault fault = Fault::kNone;
  int faulty_attempts = 0;  // so many of the first ones meet it
  int whole_before = 0;     // events before it; -1: not even the head is whole
  double cut = 0;           // how far into the next piece a kFin or kRst comes, from 0 to below 1
  int status = 503;         // of kStatus

  Cancel cancel = Cancel::kNever;
  int cancel_after = 0;         // events, for kMidStream
  absl::Duration cancel_delay;  // from the start for kAnyTime, else from the moment that it waits for
  absl::Duration deadline = absl::InfiniteDuration();
  absl::Duration read_delay;  // before each event is read
};

CallPlan PlanOf(uint64_t seed, uint32_t call);

bool IsStream(const CallPlan& plan);

// For people.
const char* ToText(Rpc rpc);
const char* ToText(Fault fault);
const char* ToText(Cancel cancel);
std::string Describe(const CallPlan& plan);

}  // namespace igpt::soak
