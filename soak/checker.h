// Proves a history right, or names what is wrong with it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "soak/history.h"

namespace igpt::soak {

// How long a request may go on after its caller is gone. The aim is far below: this is where it is wrong on any
// machine.
inline constexpr absl::Duration kLeftRunning = absl::Seconds(2);

struct Violation {
  std::optional<uint32_t> call;  // none: not of one call
  std::string what;
};

// - Every event that a caller got is its own call's and user's, from one attempt, in order, none lost or repeated.
// - OK only when all of a whole answer was received; any other status fits what the upstream did, or the caller.
// - A request is repeated only after a failure that may be repeated, before the first event, at most max_attempts in
//   all; Authorize and Disconnect arrive once at most.
// - No request runs on, and none arrives, after its call is over.
// - Each call has one log line, which says what the caller was told; a call that its caller gave up may have none.
std::vector<Violation> Check(const History& history);

// The first of these alone, of one call: all that can be said while the soak runs.
std::vector<Violation> CheckReceived(const CallRecord& call);

// All that is known of a call, for people.
std::string Describe(const History& history, uint32_t number);

}  // namespace igpt::soak
