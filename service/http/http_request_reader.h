// Reads the requests of a connection. Boost.Beast parses them.
#pragma once

#include <cstddef>
#include <string>

#include "absl/time/time.h"
#include "service/http/http_connection.h"
#include "service/http/http_message.h"

namespace igptd {

class HttpRequestReader {
 public:
  enum class Outcome { kWhole, kGone, kMalformed, kTooLarge };

  // `connection` must outlive the reader.
  HttpRequestReader(HttpConnection& connection, size_t max_body) : connection_(connection), max_body_(max_body) {}

  // Reads the next request into `request`; `idle` is how long to wait for its first byte. kGone: the client is gone or
  // its time is up. kTooLarge: the body is larger than `max_body`. To be called again only after kWhole.
  Outcome Read(absl::Duration idle, HttpRequest& request);

 private:
  HttpConnection& connection_;
  const size_t max_body_;
  std::string received_;  // and not yet parsed
};

}  // namespace igptd
