#include "bench/upstream/directives.h"

#include <algorithm>
#include <charconv>

namespace igpt::bench {
namespace {

// So that a typo neither uses up the machine's memory nor overflows a time.
constexpr int64_t kMaxBytes = 64 << 20;
constexpr int64_t kMaxPeriodMicroseconds = 3'600'000'000;

int64_t ReadNumber(std::string_view body, std::string_view name, int64_t absent) {
  const size_t found = body.find(name);
  if (found == body.npos) return absent;
  body.remove_prefix(found + name.size());
  int64_t number = absent;
  std::from_chars(body.begin(), body.end(), number);
  return std::max<int64_t>(number, 0);
}

}  // namespace

Directives ReadDirectives(std::string_view body) {
  Directives directives;
  directives.events = ReadNumber(body, " events=", directives.events);
  directives.period = std::chrono::microseconds(std::min(ReadNumber(body, " every_us=", 0), kMaxPeriodMicroseconds));
  directives.bytes = std::min(ReadNumber(body, " bytes=", directives.bytes), kMaxBytes);
  return directives;
}

bool AsksForStream(std::string_view body) {
  constexpr std::string_view kKey = "\"stream\"";
  const size_t found = body.find(kKey);
  if (found == body.npos) return false;
  body.remove_prefix(found + kKey.size());
  body.remove_prefix(std::min(body.find_first_not_of(" :"), body.size()));
  return body.starts_with("true");
}

}  // namespace igpt::bench
