// The callers file: who may call igptd, which methods, and for which users. Pure. deploy/callers.schema.json describes
// the same format.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "service/access/token.h"
#include "service/limits/caller_limits.h"

namespace igptd {

struct Caller {
  CallerLimits limits;  // also hold its name

  // What identifies it: any of these.
  std::vector<std::string> sans;  // of its certificate: "DNS:billing.internal", in lower case, or "URI:spiffe://…"
  std::vector<Token> tokens;

  std::vector<std::string> methods;  // "igpt.v1.RecallService/Ask"; empty: all

  // The users that it may act for: those that any of these allows.
  bool any_user = false;
  bool own_name = false;  // the user with the caller's own name
  std::vector<std::string> users;
  std::vector<std::string> user_prefixes;

  bool brings_key = false;  // it sends its own iGPT key with every call
};

struct Callers {
  std::vector<Caller> callers;
  bool open_standard_services = true;  // health and reflection are open to everyone
};

// Returns INVALID_ARGUMENT with every mistake, in one line: each with its line or its JSON pointer, and the remedy.
// The message never repeats a value of the file.
absl::StatusOr<Callers> ParseCallers(std::string_view json);

}  // namespace igptd
