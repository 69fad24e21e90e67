#include "service/edge/networks.h"

#include <algorithm>

#include "absl/strings/string_view.h"

namespace igptd {

using igpt::MonotonicTime;

namespace {

absl::string_view Key(std::string_view network) {
  return {network.data(), network.size()};
}

}  // namespace

Networks::Verdict Networks::Connected(std::string_view network, size_t most, MonotonicTime now) {
  Forget(now);
  Network& known = networks_[Key(network)];
  if (now < known.waits_until) return Verdict::kWaits;
  if (known.connections >= most) return Verdict::kTooMany;
  ++known.connections;
  return Verdict::kWelcome;
}

void Networks::Disconnected(std::string_view network) {
  const auto found = networks_.find(Key(network));
  if (found == networks_.end()) return;
  Network& known = found->second;
  if (--known.connections == 0 && known.wait == absl::ZeroDuration()) networks_.erase(found);
}

absl::Duration Networks::CutOff(std::string_view network, MonotonicTime now) {
  Network& known = networks_[Key(network)];
  if (now - known.waits_until > kForgotten) known.wait = absl::ZeroDuration();
  // Connections that are cut off together are one offence.
  if (now < known.waits_until) return known.waits_until - now;
  known.wait = std::clamp(2 * known.wait, kFirstWait, kLongestWait);
  known.waits_until = now + known.wait;
  return known.wait;
}

void Networks::Forget(MonotonicTime now) {
  if (now - forgot_at_ < absl::Minutes(1)) return;
  forgot_at_ = now;
  absl::erase_if(networks_, [now](auto& entry) {
    Network& known = entry.second;
    if (now - known.waits_until > kForgotten) known.wait = absl::ZeroDuration();
    return known.connections == 0 && known.wait == absl::ZeroDuration();
  });
}

}  // namespace igptd
