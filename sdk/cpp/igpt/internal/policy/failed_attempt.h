// Why an attempt failed: what the retry policy and the throttle go by.
#pragma once

#include <string>

#include "igpt/error.h"

namespace igpt::internal {

struct FailedAttempt {
  Error error;               // what the call fails with, unless it is repeated
  bool transient = false;    // network errors, 429, 500, 502, 503, 504: another attempt can succeed
  bool reached = true;       // the request may have reached iGPT; false only when that is proven
  bool by_proxy = false;     // a proxy refused it, which says nothing of iGPT
  std::string message = {};  // for the error's status
};

// Whether all requests fail this way while iGPT is down or out of reach. Errors about a single request are no outage,
// and neither is 429: it is the limit of one key or user and must not hold others back.
inline bool IsOutage(const FailedAttempt& failed) {
  if (failed.by_proxy) return false;
  const ErrorKind kind = failed.error.kind;
  return kind == ErrorKind::kNetwork || kind == ErrorKind::kTls || kind == ErrorKind::kUnavailable ||
         kind == ErrorKind::kTimeout;
}

}  // namespace igpt::internal
