#include "bench/upstream/http_request.h"

#include <strings.h>

#include <charconv>
#include <system_error>

namespace igpt::bench {
namespace {

constexpr size_t kMaxRequestBytes = 1 << 20;
constexpr std::string_view kVersion = " HTTP/1.1";
constexpr std::string_view kEndOfLine = "\r\n";
constexpr std::string_view kEndOfHead = "\r\n\r\n";

// Whether `line` is the header `name`, which includes the colon.
bool IsHeader(std::string_view line, std::string_view name) {
  return line.size() >= name.size() && strncasecmp(line.data(), name.data(), name.size()) == 0;
}

bool ReadLength(std::string_view value, size_t* length) {
  while (value.starts_with(' ')) value.remove_prefix(1);
  const auto [end, error] = std::from_chars(value.begin(), value.end(), *length);
  return error == std::errc() && end != value.begin() && *length <= kMaxRequestBytes;
}

bool ReadRequestLine(std::string_view line, HttpRequest* request) {
  if (!line.ends_with(kVersion)) return false;
  line.remove_suffix(kVersion.size());
  const size_t space = line.find(' ');
  if (space == line.npos) return false;
  request->method = line.substr(0, space);
  request->target = line.substr(space + 1);
  return true;
}

}  // namespace

Parsed ParseRequest(std::string_view bytes, HttpRequest* request) {
  const size_t head_size = bytes.find(kEndOfHead);
  if (head_size == bytes.npos) return bytes.size() > kMaxRequestBytes ? Parsed::kBad : Parsed::kIncomplete;
  const std::string_view head = bytes.substr(0, head_size);

  size_t line_end = head.find(kEndOfLine);
  if (!ReadRequestLine(head.substr(0, line_end), request)) return Parsed::kBad;
  size_t length = 0;
  while (line_end != head.npos) {
    const size_t line_begin = line_end + kEndOfLine.size();
    line_end = head.find(kEndOfLine, line_begin);
    const std::string_view line = head.substr(line_begin, line_end - line_begin);
    constexpr std::string_view kContentLength = "Content-Length:";
    if (IsHeader(line, kContentLength) && !ReadLength(line.substr(kContentLength.size()), &length)) return Parsed::kBad;
    if (IsHeader(line, "Transfer-Encoding:")) return Parsed::kBad;
  }

  const size_t body_begin = head_size + kEndOfHead.size();
  request->size = body_begin + length;
  if (bytes.size() < request->size) return Parsed::kIncomplete;
  request->body = bytes.substr(body_begin, length);
  return Parsed::kWhole;
}

}  // namespace igpt::bench
