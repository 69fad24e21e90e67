// Holds requests back while iGPT fails, so that an outage is neither made worse nor ended with a spike: client-side
// throttling as in "Handling Overload" of Google's SRE book. Pure: the clock and the dice come from outside.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "igpt/internal/policy/failed_attempt.h"

namespace igpt::internal {

// Of the requests of the last ten seconds, those that were held back included, a new one is held back with a
// probability of
//
//   (requests - 2 * accepted) / (requests + 1)
//
// which is above zero once fewer than half of them are accepted. A tenth is sent whatever happens, so that the end of
// an outage is noticed; then the share that is sent grows to the whole within some ten seconds. Fewer than a hundred
// failures are no outage.
//
// The window is shorter than the book's two minutes, as it takes about as long to come back from an outage; its
// smoothness at little traffic isn't needed where little traffic isn't held back.
//
// Not thread-safe; one per event loop. `now` is monotonic, in nanoseconds.
class Throttle {
 public:
  // Whether a request may be sent. `random` is uniform in [0, 1). One that may not counts as failed.
  bool Admit(int64_t now, double random);

  // A request was accepted: iGPT answered it, whatever it says. Or it failed, as all do in an outage.
  void OnAccepted(int64_t now);
  void OnFailed(int64_t now);

  // The probability that the next request is held back.
  double Probability(int64_t now) const;
  // How many were held back so far.
  int64_t held_back() const { return held_back_; }

 private:
  struct Counts {
    int64_t accepted = 0;
    int64_t failed = 0;
  };
  static constexpr size_t kSeconds = 10;

  Counts Sum(int64_t now) const;
  Counts& Current(int64_t now);

  std::array<Counts, kSeconds> counts_ = {};  // of each second, the latest at second_ % kSeconds
  int64_t second_ = 0;
  int64_t held_back_ = 0;
};

// What a request that is held back fails with, given the last failure that was counted. It was not sent, so the error
// has no HTTP status and no attempts. `random` is uniform in [0, 1).
absl::Status HeldBack(const FailedAttempt& last_failure, double random);

}  // namespace igpt::internal
