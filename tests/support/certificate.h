// Generates certificates for tests of TLS.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "absl/time/time.h"

namespace igpt::testing {

// A certificate and its key.
struct Identity {
  std::shared_ptr<X509> certificate;
  std::shared_ptr<EVP_PKEY> key;
};

// The contents of a certificate. Times count from now.
struct CertificateTerms {
  std::string host = "127.0.0.1";  // an IPv4 address or a name
  std::string names = {};          // replaces `host`: "DNS:billing.internal,URI:spiffe://cluster/billing"
  absl::Duration begins = -absl::Hours(1);
  absl::Duration ends = absl::Hours(1);
  std::string key = "P-256";  // a curve, or an algorithm such as ED25519
  bool authority = false;     // may issue certificates itself
};

// Issues certificates. Each authority has a key of its own.
class Authority {
 public:
  explicit Authority(const std::string& name,
                     const CertificateTerms& terms = {.begins = -absl::Hours(48), .ends = absl::Hours(48)});

  Identity Issue(const CertificateTerms& terms = {}) const;
  // The authority's certificate, which clients have to trust.
  std::string Pem() const;

 private:
  Identity self_;
};

// As PEM.
std::string CertificatePem(const Identity& identity);
std::string KeyPem(const Identity& identity);

// A self-signed certificate.
Identity SelfSigned(const CertificateTerms& terms = {});

}  // namespace igpt::testing
