#include "service/access/denial_limit.h"

#include <arpa/inet.h>

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace igptd {

std::string AddressBlock(std::string_view host) {
  constexpr std::string_view kBegin = "ipv6:%5B";
  constexpr size_t kBlockBytes = 8;
  if (!host.starts_with(kBegin)) return std::string(host);
  const std::string_view rest = host.substr(kBegin.size());
  const std::string address(rest.substr(0, rest.find('%')));  // a scope and the end both begin with it
  in6_addr bytes;
  if (inet_pton(AF_INET6, address.c_str(), &bytes) != 1) return std::string(host);
  std::memset(&bytes.s6_addr[kBlockBytes], 0, sizeof(bytes) - kBlockBytes);
  char text[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, &bytes, text, sizeof(text));
  return absl::StrCat("ipv6:%5B", text, "%5D/64");
}

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
  std::string block = AddressBlock(host);
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
