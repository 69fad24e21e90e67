// What can go wrong, for programs.
//
// Every function of this library reports failure as an absl::Status. Its code is the broad class; ErrorOf() gives the
// exact kind and the facts that go with it. Messages name the remedy and never hold a key, a prompt, an answer or a
// user.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "igpt/call_info.h"

namespace igpt::inline sdk_v1 {

// The absl code that goes with each kind is in parentheses.
enum class ErrorKind {
  kInvalidRequest,  // a request field is missing, malformed or too large; nothing was sent (INVALID_ARGUMENT)
  kParams,          // iGPT refused the parameters: `params`, or HTTP 400 or 422 (INVALID_ARGUMENT)
  kAuth,            // iGPT refused the key: `auth`, or HTTP 401 or 403 (UNAUTHENTICATED)
  kApi,             // iGPT reported any other error; `api_code` has it (UNKNOWN)
  kNotFound,        // HTTP 404 on Disconnect: no such datasource (NOT_FOUND)
  kRateLimited,     // HTTP 429 after the retries (RESOURCE_EXHAUSTED)
  kUnavailable,     // HTTP 5xx after the retries (UNAVAILABLE)
  kNetwork,         // name resolution, connect, handshake or reset, after the retries (UNAVAILABLE)
  kTls,             // a certificate was refused, iGPT's, the proxy's or the client's own; no repetition mends it
                    // (FAILED_PRECONDITION)
  kConfiguration,  // the program or its settings have to change: a client or stream that was moved from, or made before
                   // fork(); a second read of a stream at a time; a key provider that fails; a proxy that refuses its
                   // user (FAILED_PRECONDITION)
  kProtocol,       // another 4xx, a redirect, no JSON, a wrong content type (INTERNAL)
  kTimeout,        // a limit of Options passed; `timer` names it (UNAVAILABLE, after the first event DEADLINE_EXCEEDED)
  kDeadline,       // CallOptions::deadline passed (DEADLINE_EXCEEDED)
  kAborted,        // cancelled by the caller (CANCELLED)
  kTruncated,      // the stream stopped without its proper end (UNAVAILABLE)
  kMalformed,      // invalid JSON in a stream; invalid UTF-8, or too deep, anywhere (DATA_LOSS)
  kTooLarge,       // an event or answer over its limit (RESOURCE_EXHAUSTED)
};

// "kInvalidRequest" → "invalid_request", and so on: for logs.
std::string_view ErrorKindName(ErrorKind kind);

// A field of a request that is missing, malformed or too large.
struct FieldViolation {
  std::string field = {};        // e.g. "output_format.json_schema.schema"
  std::string description = {};  // what is wrong and what to do; never the value
};

struct Error {
  ErrorKind kind = ErrorKind::kProtocol;
  std::vector<FieldViolation> violations = {};     // kInvalidRequest: all at once
  std::string api_code = {};                       // kApi: iGPT's code, or "unrecognized" when it isn't a plain token
  std::optional<absl::Duration> retry_after = {};  // when iGPT said so
  std::string timer = {};                          // kTimeout: "connect", "first_byte", "idle" or "total"
  int64_t events_delivered = 0;                    // streams: how many events came before the error
  CallInfo call = {};                              // request id, HTTP status, attempts, iGPT's headers, times
};

// An error as a status, with the code that belongs to its kind. Printed, it tells the facts too: as name=value, and
// violations and iGPT's headers as lines.
absl::Status MakeStatus(const Error& error, std::string_view message);

// The reverse. nullopt for OK and for a status that this library did not make.
std::optional<Error> ErrorOf(const absl::Status& status);

// Its kind alone.
std::optional<ErrorKind> KindOf(const absl::Status& status);

// Whether the same call may succeed a little later: kRateLimited, kUnavailable, kNetwork, kTimeout and kTruncated. The
// library has tried again already, as often as Options allow and where that is safe; a Disconnect or Authorize that
// failed may have had its effect.
bool IsRetryable(const absl::Status& status);

// MakeStatus for an error with no facts beside its kind.
absl::Status MakeStatus(ErrorKind kind, std::string_view message);

// kInvalidRequest with these violations; the message lists them.
absl::Status InvalidRequest(std::vector<FieldViolation> violations);

}  // namespace igpt::inline sdk_v1
