// "host:port", as in flags and URLs.
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

// nullopt unless `text` is a host (an IPv6 address in brackets) and a decimal port from 0 to 65535.
std::optional<HostPort> ParseHostPort(std::string_view text);

// The reverse, with an IPv6 address in brackets again.
std::string ToString(const HostPort& address);

// Whether it is an IPv4 or IPv6 address, not a name.
bool IsAddress(const std::string& host);

// Whether only this machine can reach a server that listens on the host: 127.0.0.0/8, ::1 or localhost.
bool IsLoopback(const std::string& host);

// Whether servers that listen on both could want the same port of the same address. A name or a wildcard stands for any
// address of this machine. Port 0 is always free.
bool MayCollide(const HostPort& one, const HostPort& other);

// The address at which this machine can reach a server that listens on `address`: 0.0.0.0 and :: stand for all of its
// addresses and are no destination.
HostPort Reachable(HostPort address);
// The same for text; text that is not a "host:port" is returned unchanged.
std::string ReachableAddress(const std::string& text);

}  // namespace igptd
