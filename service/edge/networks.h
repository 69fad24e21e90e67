// How many connections an address may have, and how long one waits that was cut off. An address is an IPv4 address or
// the first 64 bits of an IPv6 address: see NetworkOf.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "igpt/monotonic_time.h"

namespace igptd {

// Not thread-safe. Knows only addresses that have connections or were cut off lately.
class Networks {
 public:
  // How long an address waits after it was cut off for the first time; twice as long each time after that, up to a
  // limit. It has a clean slate once it was not cut off for some minutes.
  static constexpr absl::Duration kFirstWait = absl::Seconds(1);
  static constexpr absl::Duration kLongestWait = absl::Minutes(1);
  static constexpr absl::Duration kForgotten = absl::Minutes(10);

  enum class Verdict { kWelcome, kWaits, kTooMany };

  // A connection from that address: if it is welcome, it counts until Disconnected. An address may have `most`.
  Verdict Connected(std::string_view network, size_t most, igpt::MonotonicTime now);
  void Disconnected(std::string_view network);

  // One of its connections was cut off. Returns how long it waits.
  absl::Duration CutOff(std::string_view network, igpt::MonotonicTime now);

  // How many are known.
  size_t size() const { return networks_.size(); }

 private:
  struct Network {
    size_t connections = 0;
    absl::Duration wait;  // the last one; zero: it was never cut off, or that is forgotten
    igpt::MonotonicTime waits_until = igpt::MonotonicTime::InfinitePast();
  };
  void Forget(igpt::MonotonicTime now);

  absl::flat_hash_map<std::string, Network> networks_;
  igpt::MonotonicTime forgot_at_ = igpt::MonotonicTime::InfinitePast();
};

}  // namespace igptd
