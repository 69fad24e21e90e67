#include "service/http/http_message.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace igptd {

std::string HttpRequest::header(const std::string& name) const {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [&](const auto& header) { return absl::EqualsIgnoreCase(header.first, name); });
  return found == headers.end() ? "" : found->second;
}

}  // namespace igptd
