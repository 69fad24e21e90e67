// What a request asks of the upstream beside the API's own parameters: words in its input or query, such as
// "bench events=100 every_us=20000". Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace igpt::bench {

struct Directives {
  int64_t events = 100;                // events=N: delta events of a stream
  std::chrono::nanoseconds period{0};  // every_us=U: between two of them; 0: as fast as possible
  int64_t bytes = 4096;                // bytes=B: of a whole answer
};

// Looks for them anywhere in the body. One that is absent, or no number, keeps its default.
Directives ReadDirectives(std::string_view body);

// Whether the body has "stream":true.
bool AsksForStream(std::string_view body);

}  // namespace igpt::bench
