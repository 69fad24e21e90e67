#include "service/access/denial_limit.h"

#include <utility>

#include "service/edge/caller_connection.h"

namespace igptd {

bool DenialLimit::MayLog(std::string_view caller, std::string_view host, igpt::MonotonicTime now) {
  if (end_ == igpt::MonotonicTime::InfiniteFuture()) end_ = now + kInterval;
  const bool known = !caller.empty();
  Counts& counts = known ? callers_[std::string(caller)] : OfAddress(host);
  const bool has_room =
      known ? counts.lines < kLinesOfCaller : counts.lines < kLinesOfAddress && lines_of_addresses_ < kLinesOfAddresses;
  if (!has_room) {
    ++counts.left_out;
    return false;
  }
  ++counts.lines;
  if (!known) ++lines_of_addresses_;
  return true;
}

DenialLimit::Counts& DenialLimit::OfAddress(std::string_view host) {
  std::string block = NetworkOf(host);
  const auto found = addresses_.find(block);
  if (found != addresses_.end()) return found->second;
  return addresses_.size() < kAddresses ? addresses_[std::move(block)] : other_addresses_;
}

std::vector<DenialLimit::LeftOut> DenialLimit::Take() {
  std::vector<LeftOut> left_out;
  for (auto& [name, counts] : callers_) {
    if (counts.left_out > 0) left_out.push_back({.caller = name, .calls = counts.left_out});
  }
  for (auto& [block, counts] : addresses_) {
    if (counts.left_out > 0) left_out.push_back({.address = block, .calls = counts.left_out});
  }
  if (other_addresses_.left_out > 0) left_out.push_back({.calls = other_addresses_.left_out});
  *this = DenialLimit();
  return left_out;
}

}  // namespace igptd
