// What the head of an HTTP answer, or the lack of one, means. Pure: the only map from HTTP and libcurl to ErrorKind.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "igpt/internal/policy/retry_policy.h"

namespace igpt::internal {

// What the head of an answer said, as far as it matters.
struct ResponseHead {
  int status = 0;
  std::string content_type;      // as sent; empty: none
  std::string content_encoding;  // as sent; empty: none
  std::string retry_after;       // as sent; empty: none
  bool framed = false;           // Content-Length or chunked: the body's end can be told from a cut connection
  size_t content_length = 0;     // as sent; 0: none, or none that can be read
};

enum class Route { kAsk, kSearch, kList, kDisconnect, kAuthorize };

// "recall/ask/", and so on: what comes after the base URL and a slash.
std::string_view RoutePath(Route route);

// nullopt when the body is to be read (200; JSON, for Ask also an event stream, or no content type at all; no content
// coding); else what is wrong. A call fails with MakeStatus(error, message).
struct HeadVerdict {
  FailedAttempt failed;
  std::string message;
};
std::optional<HeadVerdict> CheckHead(Route route, const ResponseHead& head, absl::Time now);

// Whether the content type is text/event-stream, with or without parameters, in any case.
bool IsEventStream(std::string_view content_type);

// What a libcurl result other than CURLE_OK means. `curl_code` is a CURLcode; `request_sent` whether a byte of the
// request may have left. The only timeout that libcurl may have been given is the one for connecting. A certificate
// that is expired, for another host, or of an unknown authority is not transient, and the message says which (`detail`
// is libcurl's error buffer, used only for that).
HeadVerdict CheckTransport(int curl_code, bool request_sent, std::string_view detail);

}  // namespace igpt::internal
