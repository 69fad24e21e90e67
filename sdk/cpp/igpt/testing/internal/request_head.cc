#include "igpt/testing/internal/request_head.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace igpt::testing {

std::optional<HttpRequest> ParseHead(const std::string& head) {
  if (!absl::EndsWith(head, "\r\n\r\n")) return std::nullopt;
  const std::vector<std::string> lines = absl::StrSplit(head.substr(0, head.size() - 4), "\r\n");
  const std::vector<std::string> start = absl::StrSplit(lines[0], ' ');
  if (start.size() != 3 || start[2] != "HTTP/1.1") return std::nullopt;

  HttpRequest request;
  request.head = head;
  request.method = start[0];
  request.target = start[1];
  for (size_t i = 1; i < lines.size(); ++i) {
    const size_t colon = lines[i].find(':');
    if (colon == std::string::npos) return std::nullopt;
    std::string value = lines[i].substr(colon + 1);
    absl::StripAsciiWhitespace(&value);
    request.headers.emplace_back(lines[i].substr(0, colon), value);
  }
  return request;
}

}  // namespace igpt::testing
