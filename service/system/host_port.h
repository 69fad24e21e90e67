// "host:port", as flags and URLs have it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace igptd {

struct HostPort {
  std::string host;  // a name, an IPv4 address, or an IPv6 address without its brackets
  uint16_t port = 0;
};

// nullopt unless it is a host (an IPv6 address in brackets) and a decimal port from 0 to 65535.
std::optional<HostPort> ParseHostPort(std::string_view text);

// The reverse, with an IPv6 address in brackets again.
std::string ToString(const HostPort& address);

// Where this machine reaches what listens on `address`: 0.0.0.0 and :: stand for all of its addresses, and are no
// destination.
HostPort Reachable(HostPort address);
// The same of text; what is no "host:port" stays as it is.
std::string ReachableAddress(const std::string& text);

}  // namespace igptd
