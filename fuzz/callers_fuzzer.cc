// The callers file.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "fuzz/input.h"
#include "fuzz/require.h"
#include "service/access/callers.h"

namespace igptd {
namespace {

using igpt_fuzz::Require;

bool IsSafeName(const std::string& name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
  });
}

void Test(igpt_fuzz::Input input) {
  const absl::StatusOr<Callers> callers = ParseCallers(input.rest());
  if (!callers.ok()) {
    const std::string message(callers.status().message());
    Require(!message.empty(), "a refusal says why");
    Require(igpt_fuzz::IsUtf8(message) && std::none_of(message.begin(), message.end(), absl::ascii_iscntrl),
            "a refusal is one line");
    return;
  }
  for (const Caller& caller : callers->callers) {
    Require(IsSafeName(caller.limits.name), "a caller's name is safe in logs");
    Require(!caller.sans.empty() || !caller.tokens.empty(), "a caller can be recognized");
    Require(caller.any_user || caller.own_name || !caller.users.empty() || !caller.user_prefixes.empty(),
            "a caller may act for somebody");
    const bool has_empty_prefix = std::any_of(caller.user_prefixes.begin(), caller.user_prefixes.end(),
                                              [](const std::string& prefix) { return prefix.empty(); });
    Require(!has_empty_prefix, "no prefix matches all users");
    Require(caller.limits.max_in_flight >= 0, "a limit isn't negative");
    Require((caller.limits.starts_per_second > 0) == (caller.limits.burst >= 1), "a rate goes with a burst");
  }
}

}  // namespace
}  // namespace igptd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  igptd::Test({data, size});
  return 0;
}
