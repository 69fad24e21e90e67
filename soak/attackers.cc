#include "soak/attackers.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "igpt/monotonic_time.h"
#include "tests/hostile/hostile_connections.h"

namespace igpt::soak {
namespace {

constexpr size_t kAttackers = 2;

constexpr absl::Duration kAttackTime = absl::Seconds(5);

// Before an attacker tries again whether an igptd listens.
constexpr absl::Duration kTryAgain = absl::Milliseconds(50);

}  // namespace

Attackers::Attackers(std::vector<std::string> addresses) : addresses_(std::move(addresses)) {
  for (size_t i = 0; i < kAttackers; ++i) threads_.emplace_back([this, i] { Attack(i); });
}

Attackers::~Attackers() {
  over_ = true;
  for (std::thread& thread : threads_) thread.join();
}

// Each attack comes from a new address, because igptd makes those wait that it cut off.
void Attackers::Attack(size_t attacker) {
  const std::vector<testing::HostileConnection> attacks = testing::HostileConnections();
  for (size_t turn = 0; !over_; ++turn) {
    const testing::HostileConnection& hostile = attacks[(turn + attacker * attacks.size() / 2) % attacks.size()];
    testing::Http2Client::Behaviour behaviour = hostile.behaviour;
    behaviour.source = absl::StrCat("127.", 1 + attacker, ".", turn / 200 % 200, ".", 1 + turn % 200);
    const MonotonicTime end = MonotonicTime::Now() + kAttackTime;
    for (size_t i = 0; !over_ && MonotonicTime::Now() < end; ++i) {
      testing::Http2Client client(addresses_[i % addresses_.size()], behaviour);
      if (client.ended()) {
        absl::SleepFor(kTryAgain);
        continue;
      }
      ++connections_;
      hostile.attack(client, over_);
    }
  }
}

}  // namespace igpt::soak
