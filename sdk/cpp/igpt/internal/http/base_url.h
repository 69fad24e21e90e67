// The base URL of the API, taken apart and checked. Pure.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace igpt::internal {

struct BaseUrl {
  std::string url;               // as given, without trailing slashes
  std::string host;              // without the brackets of an IPv6 literal
  int port = 0;                  // the scheme's default when none was given
  bool host_is_address = false;  // an IPv4 or IPv6 literal: nothing to resolve
};

// INVALID_ARGUMENT, naming the remedy and never echoing userinfo, for anything but https://host[:port][/path], or
// http:// to a loopback address (127.0.0.0/8, [::1], localhost): no other scheme, no userinfo, query, fragment, control
// character or space.
absl::StatusOr<BaseUrl> ParseBaseUrl(std::string_view text);

// The same for Options::proxy, [scheme://]host[:port], as libcurl understands it: the scheme is http, https or one of
// its socks ones, and the port, when none is given, 443 for https and else 1080.
absl::StatusOr<BaseUrl> ParseProxy(std::string_view text);

}  // namespace igpt::internal
