// Proves that a history is correct, or lists its violations. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "soak/history.h"

namespace igpt::soak {

// How long a request may run after its caller is gone. The target is far lower; this is too long on any machine.
inline constexpr absl::Duration kLeftRunning = absl::Seconds(2);

// While gRPC 1.51 frees what a cut-off connection left, it may hold up what it has read for other calls. So igptd may
// learn late that a caller has gone: at most this late, of one call in so many.
inline constexpr absl::Duration kHeldUp = absl::Seconds(10);
inline constexpr size_t kCallsPerHeldUp = 10'000;

struct Violation {
  std::optional<uint32_t> call;  // nullopt: not about a single call
  std::string what;
};

// - Every event that a caller got belongs to its call and user, from one attempt, in order, none lost or repeated.
// - A call ends with OK only if the caller received a complete answer. Any other status fits what the upstream or the
//   caller did.
// - A request is repeated only after a failure that allows it, before the first event, at most max_attempts times in
//   all. Authorize and Disconnect arrive at most once.
// - No request runs on, or arrives, after its call has ended.
// - Each call has one log line, with the status that the caller got and the time that it took. A call that its caller
//   gave up may have none.
// - gRPC may lose a call while an igptd drains, so that igptd never sees it, but not more than one a drain.
// - gRPC may hold up the end of a call that its caller gave up, but not of more than one in kCallsPerHeldUp.
std::vector<Violation> Check(const History& history);

// Checks only the first of these, for one call: all that can be checked while the soak runs.
std::vector<Violation> CheckReceived(const CallRecord& call);

// Describes everything that is known about a call, for people.
std::string Describe(const History& history, uint32_t number);

}  // namespace igpt::soak
