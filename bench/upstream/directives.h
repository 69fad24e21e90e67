// Directives to the upstream in a request's input or query, such as "bench events=100 every_us=20000". Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace igpt::bench {

struct Directives {
  int64_t events = 100;                // events=N: delta events of a stream
  std::chrono::nanoseconds period{0};  // every_us=U: the time between two events; 0: as fast as possible
  int64_t bytes = 4096;                // bytes=B: the size of a whole answer
};

// Finds them anywhere in the body. A directive that is absent or not a number keeps its default.
Directives ReadDirectives(std::string_view body);

// Whether the body has "stream":true.
bool AsksForStream(std::string_view body);

}  // namespace igpt::bench
