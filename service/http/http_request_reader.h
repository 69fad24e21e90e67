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

  // Waits for the next request, so long for its beginning, and fills `request` with it. kGone when the client is gone
  // or its time is up; kTooLarge when its body is. Only after kWhole is there a next one.
  Outcome Read(absl::Duration idle, HttpRequest& request);

 private:
  HttpConnection& connection_;
  const size_t max_body_;
  std::string received_;  // and not yet parsed
};

}  // namespace igptd
