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
  std::string scheme = {};       // in lower case
};

// INVALID_ARGUMENT, naming the remedy and never echoing userinfo, for anything but https://host[:port][/path], or
// http:// to a loopback address (127.0.0.0/8, [::1], localhost), or with `allow_http` to any: no other scheme, no
// userinfo, query, fragment, control character or space.
absl::StatusOr<BaseUrl> ParseBaseUrl(std::string_view text, bool allow_http = false);

// The same for Options::proxy, [scheme://][user:password@]host[:port]. The scheme is http, https, socks5 (the server's
// name is resolved here) or socks5h (by the proxy); without one, http. The port, when none is given, is 443 for https
// and else 1080, as for libcurl. Nothing but a slash may follow.
absl::StatusOr<BaseUrl> ParseProxy(std::string_view text);

}  // namespace igpt::internal
