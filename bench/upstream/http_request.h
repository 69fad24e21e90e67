// The HTTP/1.1 requests that the upstream understands: a head and a body framed by Content-Length. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace igpt::bench {

// Views of the bytes that it was parsed from.
struct HttpRequest {
  std::string_view method;
  std::string_view target;
  std::string_view body;
  size_t size = 0;  // the bytes that it occupies
};

enum class Parsed {
  kWhole,
  kIncomplete,
  kBad,  // not HTTP/1.1, or framed in another way, or larger than any request of the benchmark
};

// Parses the first request in `bytes`. `request` is only meaningful if it is complete.
Parsed ParseRequest(std::string_view bytes, HttpRequest* request);

}  // namespace igpt::bench
