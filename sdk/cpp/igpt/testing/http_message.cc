#include "igpt/testing/http_message.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace igpt::testing {

std::optional<std::string> HttpRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (absl::EqualsIgnoreCase(key, {name.data(), name.size()})) return value;
  }
  return std::nullopt;
}

std::string Head(int status, const HttpHeaders& headers) {
  std::string head = "HTTP/1.1 " + std::to_string(status) + " \r\n";
  for (const auto& [name, value] : headers) head.append(name).append(": ").append(value).append("\r\n");
  return head + "\r\n";
}

std::string Chunk(std::string_view data) {
  return absl::StrCat(absl::Hex(data.size()), "\r\n").append(data).append("\r\n");
}

std::string SseEvent(std::string_view json) {
  return std::string("data: ").append(json).append("\n\n");
}

}  // namespace igpt::testing
