// igptd's own TLS: what it shows to callers, and whom of them it believes. Pure.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace igptd {

// As PEM.
struct TlsMaterial {
  std::string certificates;              // igptd's own, then those that lead from it to an authority
  std::string key;                       // of the first certificate
  std::optional<std::string> client_ca;  // the authorities of callers' certificates; nullopt: callers need none
};

// INVALID_ARGUMENT that names the flag, what is wrong and the remedy, and never holds what is in the files: no PEM, a
// key that isn't the certificate's, a certificate that isn't valid at `now`, what OpenSSL finds too weak.
absl::Status ValidateTls(const TlsMaterial& material, absl::Time now);

}  // namespace igptd
