// The calls of the API: from the JSON that was sent to the answer. No HTTP here.
#pragma once

#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "service/sandbox/accounts.h"
#include "service/sandbox/events.h"
#include "service/sandbox/json.h"

namespace igptd::sandbox {

struct Reply {
  int status = 200;
  Json body;
};

// {"error": code}
Reply ErrorReply(std::string_view code, int status = 200);

// The answer to a call that has one: by its path ("recall/search"); nullopt when there is no such call. `connect_url`
// is what a token is put behind. Every call answers {"error": "params"} when a parameter is missing or malformed.
std::optional<Reply> AnswerCall(std::string_view path, Accounts& accounts, const Json& params,
                                std::string_view connect_url);

struct AskReply {
  Run run;
  bool stream = false;
};

// Ask and Run; nullopt stands for {"error": "params"}.
std::optional<AskReply> AnswerAsk(const Accounts& accounts, const Json& params, absl::Time now);

}  // namespace igptd::sandbox
