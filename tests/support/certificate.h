// Certificates for tests of TLS, made on the spot.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "absl/time/time.h"

namespace igpt::testing {

// A certificate with its key, as a server shows it.
struct Identity {
  std::shared_ptr<X509> certificate;
  std::shared_ptr<EVP_PKEY> key;
};

// What a certificate says, from now on.
struct CertificateTerms {
  std::string host = "127.0.0.1";  // an IPv4 address or a name
  std::string names = {};          // in its place, e.g. "DNS:billing.internal,URI:spiffe://cluster/billing"
  absl::Duration begins = -absl::Hours(1);
  absl::Duration ends = absl::Hours(1);
};

// Issues certificates; each authority is one that nobody else knows.
class Authority {
 public:
  explicit Authority(const std::string& name);

  Identity Issue(const CertificateTerms& terms = {}) const;
  // What a client has to trust.
  std::string Pem() const;

 private:
  Identity self_;
};

// As PEM.
std::string CertificatePem(const Identity& identity);
std::string KeyPem(const Identity& identity);

// A certificate that vouches for itself.
Identity SelfSigned(const CertificateTerms& terms = {});

}  // namespace igpt::testing
