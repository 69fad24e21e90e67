// Holds requests back while iGPT fails, so that an outage is neither made worse nor ended with a spike: client-side
// throttling as in "Handling Overload" of Google's SRE book, for each user, each group of users, and all of them. Pure:
// the clock and the dice come from outside.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "igpt/internal/policy/failed_attempt.h"
#include "igpt/internal/policy/request_window.h"

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
// Which requests? iGPT can fail the requests of one user and answer all others. So they are counted for the user, for
// its group and for all, and the narrowest of these that has seen enough decides: a hundred failures, or that half of
// its requests and at least one are accepted. And of its failures, each of them passes on only a few in a second to the
// next wider one: it takes those of several users to hold back others of their group, and those of several groups to
// hold back other groups.
//
// The window is shorter than the book's two minutes, as it takes about as long to come back from an outage; its
// smoothness at little traffic isn't needed where little traffic isn't held back.
//
// Not thread-safe; one per event loop. `now` is monotonic, in nanoseconds.
class Throttle {
 public:
  // Whose request it is: hashes.
  struct Who {
    uint64_t group = 0;
    uint64_t user = 0;
  };

  // Of groups, and of the users of a group, that were active in the last ten seconds, as many are told apart. The
  // others count as one, so that memory is bounded.
  static constexpr size_t kToldApart = 256;

  // OK: the request may be sent. Otherwise it counts as failed, and this is what it fails with; it was not sent, so the
  // error has no HTTP status and no attempts. `random` is uniform in [0, 1).
  absl::Status Admit(Who who, int64_t now, double random);

  // A request was accepted: iGPT answered it, whatever it says. Or it failed, as all do in an outage.
  void OnAccepted(Who who, int64_t now);
  void OnFailed(Who who, int64_t now, const FailedAttempt& failed);

  // The share of the last ten seconds' requests that was held back, and how many were so far.
  double HeldBackShare(int64_t now) const;
  int64_t held_back() const { return held_back_; }

 private:
  struct Scope {
    RequestWindow requests;  // good: accepted
    int64_t used_at = 0;
    std::shared_ptr<const FailedAttempt> last_failure;
    absl::flat_hash_map<uint64_t, std::unique_ptr<Scope>> narrower;
  };
  using Path = std::array<Scope*, 3>;  // of a user, its group, and all

  Path Find(Who who, int64_t now);
  static Scope& Narrower(Scope& scope, uint64_t id, int64_t now);
  static void CountFailure(const Path& path, int64_t now, const std::shared_ptr<const FailedAttempt>& failed);

  Scope all_;
  RequestWindow admissions_;  // bad: held back
  int64_t held_back_ = 0;
};

}  // namespace igpt::internal
