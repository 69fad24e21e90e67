// The callers file: who may call igptd, which methods, and for which users. Pure. What the file may hold is in
// deploy/callers.schema.json too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "service/access/token.h"
#include "service/limits/caller_limits.h"

namespace igptd {

struct Caller {
  CallerLimits limits;  // with its name

  // How it is known: by any of these.
  std::vector<std::string> sans;  // of its certificate: "DNS:billing.internal", in small letters, or "URI:spiffe://…"
  std::vector<TokenHash> tokens;

  std::vector<std::string> methods;  // "igpt.v1.RecallService/Ask"; empty: all

  // For whom: any of these.
  bool any_user = false;
  bool own_name = false;  // a user called as the caller is
  std::vector<std::string> users;
  std::vector<std::string> user_prefixes;

  bool brings_key = false;  // its own iGPT key, with every call
};

struct Callers {
  std::vector<Caller> callers;
  bool open_standard_services = true;  // health and reflection need no caller that is known
};

// INVALID_ARGUMENT with every mistake, in one line: each with its line, or its place as a JSON pointer, and the remedy,
// and without the values that it finds.
absl::StatusOr<Callers> ParseCallers(std::string_view json);

}  // namespace igptd
