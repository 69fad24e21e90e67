// HTTP/1.1 messages as bytes: what a scripted server reads and what it writes. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace igpt::testing {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// A request as the server received it.
struct HttpRequest {
  int connection = 0;   // 1 for the server's first connection, and so on
  std::string head;     // the exact request line and headers, including the empty line
  std::string method;   // parsed from `head`, like the next two
  std::string target;   // for example "/v1/recall/ask/"
  HttpHeaders headers;  // in order, names as written
  std::string body;     // the exact bytes

  // The value of the first header with this case-insensitive name; nullopt if there is none.
  std::optional<std::string> Header(std::string_view name) const;
};

// "HTTP/1.1 <status> \r\n", exactly these headers, and the empty line.
std::string Head(int status, const HttpHeaders& headers);

// `data`, which must not be empty, as one chunk of a chunked body: an empty chunk would end the body.
std::string Chunk(std::string_view data);

// The end of a chunked body.
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

// An event of an SSE stream that holds `json` on one data line.
std::string SseEvent(std::string_view json);

}  // namespace igpt::testing
