#include "igpt/internal/call/request_id.h"

#include <cstdint>

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

}  // namespace igpt::internal
