#include "igpt/internal/call/request_id.h"

#include <cstdint>
#include <limits>

#include "absl/random/uniform_int_distribution.h"
#include "absl/strings/str_format.h"

namespace igpt::internal {

CallOptions WithRequestId(CallOptions options, absl::BitGen& random) {
  if (!options.request_id.empty()) return options;
  constexpr uint64_t kVersion = 4;
  constexpr uint64_t kVariant = 2;
  const uint64_t high = (random() & ~uint64_t{0xF000}) | kVersion << 12;
  const uint64_t low = (random() >> 2) | kVariant << 62;
  options.request_id = absl::StrFormat("%08x-%04x-%04x-%04x-%012x", high >> 32, (high >> 16) & 0xFFFF, high & 0xFFFF,
                                       low >> 48, low & 0xFFFFFFFFFFFF);
  return options;
}

std::string ChildOf(std::string_view traceparent, absl::BitGen& random) {
  constexpr size_t kSpanId = 36;  // after 00-<32 digits>-
  absl::uniform_int_distribution<uint64_t> not_zero(1, std::numeric_limits<uint64_t>::max());
  std::string child(traceparent);
  return child.replace(kSpanId, 16, absl::StrFormat("%016x", not_zero(random)));
}

}  // namespace igpt::internal
