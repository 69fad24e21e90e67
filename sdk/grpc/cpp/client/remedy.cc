#include "client/remedy.h"

#include "absl/strings/str_cat.h"

namespace {

struct Row {
  grpc::StatusCode code;
  std::string_view reason;  // empty: any other
  std::string_view remedy;
};

using enum grpc::StatusCode;

constexpr std::string_view kAskOperator = "ask igptd's operator";
constexpr std::string_view kLater = "try again later";

// The first row that fits holds. A reason that isn't here is treated by its code.
constexpr Row kRows[] = {
    {INVALID_ARGUMENT, "INVALID_REQUEST", "correct the fields above"},
    {INVALID_ARGUMENT, "", "change the request"},
    {UNAUTHENTICATED, "CALLER_UNAUTHENTICATED", "give a token (--token-file) or a certificate that igptd knows"},
    {UNAUTHENTICATED, "CALLER_TOKEN_EXPIRED", "give a token (--token-file) that has not expired"},
    {UNAUTHENTICATED, "", kAskOperator},
    {PERMISSION_DENIED, "USER_NOT_ALLOWED", "name another --user, or ask igptd's operator for access to this one"},
    {PERMISSION_DENIED, "", "ask igptd's operator for access"},
    {FAILED_PRECONDITION, "", "tell igptd's operator: iGPT refused igptd's key"},
    {NOT_FOUND, "", "use an id that igpt list shows"},
    {RESOURCE_EXHAUSTED, "IGPT_RATE_LIMITED", kLater},
    {RESOURCE_EXHAUSTED, "OVERLOADED", kLater},
    {RESOURCE_EXHAUSTED, "", "ask for less"},
    {UNAVAILABLE, "STREAM_TRUNCATED", "ask again: the answer starts from the beginning"},
    {UNAVAILABLE, "", kLater},
    {DEADLINE_EXCEEDED, "IGPT_TIMEOUT", kLater},
    {DEADLINE_EXCEEDED, "", "allow more time with --timeout"},
    {UNIMPLEMENTED, "", "this igptd doesn't know the command: use a newer one"},
    {DATA_LOSS, "", "tell igptd's operator: iGPT sent something that cannot be read"},
    {INTERNAL, "", "tell igptd's operator: the answer did not look like iGPT's"},
};

}  // namespace

std::string Remedy(grpc::StatusCode code, std::string_view reason, const std::string& server) {
  // igptd gives a reason. Without one, the call did not get to an igptd.
  if (code == UNAVAILABLE && reason.empty()) {
    return absl::StrCat("no igptd answers at ", server, ": start one with ./dev run, or check --server and --tls");
  }
  for (const Row& row : kRows) {
    if (row.code == code && (row.reason.empty() || row.reason == reason)) return std::string(row.remedy);
  }
  return "";
}
