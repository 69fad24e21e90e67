#include "service/system/host_port.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace igptd {
namespace {

bool IsIpv6(const std::string& host) {
  in6_addr ignored;
  return inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

// An address in its binary form, an IPv4 address as IPv6 maps it; nullopt for a name.
std::optional<in6_addr> ToBinary(const std::string& host) {
  in6_addr address = {};
  const std::string mapped = absl::StrCat("::ffff:", host);
  if (IsIpv6(host)) {
    inet_pton(AF_INET6, host.c_str(), &address);
  } else if (inet_pton(AF_INET6, mapped.c_str(), &address) != 1) {
    return std::nullopt;
  }
  return address;
}

// 0.0.0.0 and ::, which stand for all addresses of this machine.
bool IsWildcard(const in6_addr& address) {
  return IN6_IS_ADDR_UNSPECIFIED(&address) || (IN6_IS_ADDR_V4MAPPED(&address) && address.s6_addr32[3] == 0);
}

bool IsName(std::string_view host) {
  const auto in_name = [](unsigned char c) { return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_'; };
  return !host.empty() && std::all_of(host.begin(), host.end(), in_name);
}

// Accepts only digits: no sign, no space.
std::optional<uint16_t> ParsePort(std::string_view text) {
  constexpr int kMaxPort = 65535;
  int port = 0;
  if (!std::all_of(text.begin(), text.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(absl::string_view(text.data(), text.size()), &port) || port > kMaxPort) {
    return std::nullopt;
  }
  return static_cast<uint16_t>(port);
}

}  // namespace

std::optional<HostPort> ParseHostPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::optional<uint16_t> port = ParsePort(text.substr(colon + 1));
  std::string host(text.substr(0, colon));
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!port.has_value() || !(bracketed ? IsIpv6(host) : IsName(host))) return std::nullopt;
  return HostPort{std::move(host), *port};
}

std::string ToString(const HostPort& address) {
  const bool ipv6 = address.host.find(':') != std::string::npos;
  return absl::StrCat(ipv6 ? "[" : "", address.host, ipv6 ? "]" : "", ":", address.port);
}

bool IsAddress(const std::string& host) {
  return ToBinary(host).has_value();
}

bool IsLoopback(const std::string& host) {
  if (absl::EqualsIgnoreCase(host, "localhost")) return true;
  const std::optional<in6_addr> address = ToBinary(host);
  if (!address.has_value()) return false;
  return IN6_IS_ADDR_LOOPBACK(&*address) || (IN6_IS_ADDR_V4MAPPED(&*address) && address->s6_addr[12] == 127);
}

bool MayCollide(const HostPort& one, const HostPort& other) {
  if (one.port != other.port || one.port == 0) return false;
  const std::optional<in6_addr> a = ToBinary(one.host);
  const std::optional<in6_addr> b = ToBinary(other.host);
  if (!a.has_value() || !b.has_value() || IsWildcard(*a) || IsWildcard(*b)) return true;
  return IN6_ARE_ADDR_EQUAL(&*a, &*b);
}

HostPort Reachable(HostPort address) {
  if (address.host == "0.0.0.0") address.host = "127.0.0.1";
  if (address.host == "::") address.host = "::1";
  return address;
}

std::string ReachableAddress(const std::string& text) {
  const std::optional<HostPort> address = ParseHostPort(text);
  return address.has_value() ? ToString(Reachable(*address)) : text;
}

}  // namespace igptd
