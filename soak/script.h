// The bytes of an upstream's answer, and when each piece is sent. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "soak/mark.h"
#include "soak/plan.h"

namespace igpt::soak {

struct Step {
  absl::Duration delay;  // before it
  std::string bytes;
  int whole_events = 0;  // complete events sent, including this piece
};

struct Script {
  enum class End { kKeepAlive, kFin, kRst, kStall, kFlood };

  std::vector<Step> steps;
  End end = End::kKeepAlive;
};

// What the upstream does in this attempt.
Fault FaultOf(const CallPlan& plan, int attempt);

// `first` is the mark of the answer's first event.
Script ScriptOf(const CallPlan& plan, const Mark& first);

// One event of a flood, as a chunk.
std::string FloodEvent(const CallPlan& plan, const Mark& mark);

}  // namespace igpt::soak
