// igptd's side of TLS: its own certificate, and the authorities for callers' certificates. Pure.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace igptd {

// As PEM.
struct TlsMaterial {
  std::string certificates;              // igptd's own, then its chain up to an authority
  std::string key;                       // of the first certificate
  std::optional<std::string> client_ca;  // the authorities of callers' certificates; nullopt: callers need none
};

// Returns INVALID_ARGUMENT for anything that is not PEM, a key of another certificate, a certificate that isn't valid
// at `now`, an authority that is none, what OpenSSL finds too weak, and what gRPC's clients can't use. The message
// names the flag and the remedy, and never repeats the files' contents.
absl::Status ValidateTls(const TlsMaterial& material, absl::Time now);

// The same for authorities that igptd trusts by themselves: at least one intact certificate. `flag` names their file.
absl::Status ValidateAuthorities(const char* flag, const std::string& pem);

// When the first of the certificates in the text expires; the infinite future if there is none.
absl::Time EarliestExpiry(const std::string& pem);

}  // namespace igptd
