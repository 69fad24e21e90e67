#include "service/admin/web_page_guard.h"

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "service/system/host_port.h"

namespace igptd {
namespace {

bool IsOurs(const std::string& host, const std::string& own_host) {
  const std::optional<HostPort> with_port = ParseHostPort(host);
  const std::optional<HostPort> parsed = with_port.has_value() ? with_port : ParseHostPort(absl::StrCat(host, ":80"));
  if (!parsed.has_value()) return false;
  return IsAddress(parsed->host) || absl::EqualsIgnoreCase(parsed->host, "localhost") ||
         absl::EqualsIgnoreCase(parsed->host, own_host);
}

}  // namespace

std::string WebPageObjection(const HttpRequest& request, const std::string& own_host) {
  int hosts = 0;
  for (const auto& [name, value] : request.headers) {
    if (absl::EqualsIgnoreCase(name, "Origin")) return "web pages may not ask for this (Origin)";
    // "none": somebody typed the address.
    if (absl::EqualsIgnoreCase(name, "Sec-Fetch-Site") && value != "none" && value != "same-origin") {
      return "web pages may not ask for this (Sec-Fetch-Site)";
    }
    if (!absl::EqualsIgnoreCase(name, "Host")) continue;
    if (++hosts > 1 || !IsOurs(value, own_host)) return "ask by an address, or as localhost (Host)";
  }
  return hosts == 1 ? "" : "ask by an address, or as localhost (Host)";
}

}  // namespace igptd
