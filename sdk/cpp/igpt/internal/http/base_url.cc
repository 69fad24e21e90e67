#include "igpt/internal/http/base_url.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

namespace igpt::internal {
namespace {

struct CurlFree {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(char* text) const { curl_free(text); }
};

// A part of the URL as libcurl will use it, e.g. the address that 0x7f.1 is. Empty: there is none.
std::string Part(CURLU* url, CURLUPart what, unsigned int flags = 0) {
  char* text = nullptr;
  curl_url_get(url, what, &text, flags);
  const std::unique_ptr<char, CurlFree> owner(text);
  return text == nullptr ? std::string() : std::string(text);
}

bool IsAddress(const std::string& host) {
  in_addr v4;
  in6_addr v6;
  return inet_pton(AF_INET, host.c_str(), &v4) == 1 || inet_pton(AF_INET6, host.c_str(), &v6) == 1;
}

void TakeHost(CURLU* url, BaseUrl& base) {
  base.host = Part(url, CURLUPART_HOST);
  if (base.host.starts_with('[')) base.host = base.host.substr(1, base.host.size() - 2);
  base.host_is_address = IsAddress(base.host);
  base.scheme = Part(url, CURLUPART_SCHEME);
}

bool IsLoopback(const std::string& host) {
  in_addr v4;
  in6_addr v6;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
  return absl::EqualsIgnoreCase(host, "localhost");
}

}  // namespace

// libcurl's own parser takes the URL apart: what is checked here is then what libcurl connects to.
absl::StatusOr<BaseUrl> ParseBaseUrl(std::string_view text, bool allow_http) {
  const auto invalid = [](const char* what) { return absl::InvalidArgumentError(what); };
  BaseUrl base;
  base.url = std::string(text);
  if (!std::all_of(text.begin(), text.end(), absl::ascii_isgraph)) {
    return invalid("must be visible ASCII without spaces: write other characters of the host's name as xn--…");
  }
  const bool https = absl::StartsWithIgnoreCase(base.url, "https://");
  if (!https && !absl::StartsWithIgnoreCase(base.url, "http://")) return invalid("must start with https://");
  if (text.find_first_of("?#") != text.npos) return invalid("must not have a query (?) or a fragment (#)");
  while (base.url.ends_with('/')) base.url.pop_back();

  const std::unique_ptr<CURLU, CurlFree> url(curl_url());
  switch (curl_url_set(url.get(), CURLUPART_URL, base.url.c_str(), CURLU_DISALLOW_USER)) {
    case CURLUE_OK:
      break;
    case CURLUE_USER_NOT_ALLOWED:
      return invalid("must not have a user or a password before the host");
    case CURLUE_BAD_PORT_NUMBER:
      return invalid("must have a port from 1 to 65535, or none");
    default:
      return invalid("must be https://host[:port][/path]");
  }
  if (!absl::SimpleAtoi(Part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT), &base.port) || base.port < 1 ||
      base.port > 65535) {
    return invalid("must have a port from 1 to 65535, or none");
  }
  TakeHost(url.get(), base);
  if (!https && !allow_http && !IsLoopback(base.host)) {
    return invalid(
        "must start with https://: http:// is for loopback addresses only, as the key would be readable (igpt::sdk: "
        "unless allow_http is set)");
  }
  return base;
}

absl::StatusOr<BaseUrl> ParseProxy(std::string_view text) {
  BaseUrl proxy;
  proxy.url = std::string(text);
  const std::unique_ptr<CURLU, CurlFree> url(curl_url());
  const bool has_scheme = text.find("://") != text.npos;
  const std::string with_scheme = has_scheme ? proxy.url : "http://" + proxy.url;
  if (curl_url_set(url.get(), CURLUPART_URL, with_scheme.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    return absl::InvalidArgumentError("must be a URL such as http://proxy:3128");
  }
  if (const std::string path = Part(url.get(), CURLUPART_PATH);
      (!path.empty() && path != "/") || text.find_first_of("?#") != text.npos) {
    return absl::InvalidArgumentError("must have nothing after the port: no path, query (?) or fragment (#)");
  }
  TakeHost(url.get(), proxy);
  if (proxy.scheme != "http" && proxy.scheme != "https" && proxy.scheme != "socks5" && proxy.scheme != "socks5h") {
    return absl::InvalidArgumentError("must start with http://, https://, socks5:// or socks5h://");
  }
  const std::string port = Part(url.get(), CURLUPART_PORT);
  if (port.empty()) {
    proxy.port = proxy.scheme == "https" ? 443 : 1080;  // libcurl's own defaults
  } else if (!absl::SimpleAtoi(port, &proxy.port) || proxy.port < 1 || proxy.port > 65535) {
    return absl::InvalidArgumentError("must have a port from 1 to 65535, or none");
  }
  return proxy;
}

}  // namespace igpt::internal
