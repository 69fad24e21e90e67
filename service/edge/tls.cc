#include "service/edge/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace igptd {
namespace {

constexpr char kCertificateFlag[] = "--tls_cert_file";
constexpr char kKeyFlag[] = "--tls_key_file";
constexpr char kClientCaFlag[] = "--tls_client_ca_file";

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

absl::Status Wrong(const char* flag, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(flag, ": ", what));
}

std::unique_ptr<BIO, decltype(&BIO_free)> Open(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

// Why OpenSSL's last call failed, in its words.
std::string LastReason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason == nullptr ? "no reason given" : reason;
}

// Reads all certificates of a file, which must hold at least one and no broken one.
absl::StatusOr<std::vector<Certificate>> ReadCertificates(const char* flag, const std::string& pem) {
  const auto bio = Open(pem);
  std::vector<Certificate> certificates;
  for (;;) {
    Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
    if (certificate == nullptr) break;
    certificates.push_back(std::move(certificate));
  }
  // A good file ends with this error: no further certificate was found.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (certificates.empty() || !at_end) return Wrong(flag, "must hold only intact certificates in PEM, at least one");
  return certificates;
}

absl::Status CheckDates(const X509& certificate, absl::Time now) {
  std::time_t at = absl::ToTimeT(now);
  if (X509_cmp_time(X509_get0_notAfter(&certificate), &at) <= 0) {
    return Wrong(kCertificateFlag, "the certificate has expired; get a new one");
  }
  if (X509_cmp_time(X509_get0_notBefore(&certificate), &at) > 0) {
    return Wrong(kCertificateFlag, "the certificate isn't valid yet; check this machine's clock, or get another one");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateTls(const TlsMaterial& material, absl::Time now) {
  ERR_clear_error();
  const absl::StatusOr<std::vector<Certificate>> chain = ReadCertificates(kCertificateFlag, material.certificates);
  if (!chain.ok()) return chain.status();
  // With an empty password, since OpenSSL would otherwise ask for one on a terminal.
  const auto bio = Open(material.key);
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, const_cast<char*>("")), EVP_PKEY_free);
  if (key == nullptr) return Wrong(kKeyFlag, "must hold a private key in PEM, without a password");
  // Loads them as a server does, which also finds keys and signatures that are too weak.
  const Context context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (SSL_CTX_use_certificate(context.get(), chain->front().get()) != 1) {
    return Wrong(kCertificateFlag, absl::StrCat("OpenSSL rejects the certificate: ", LastReason()));
  }
  ERR_clear_error();
  if (X509_check_private_key(chain->front().get(), key.get()) != 1) {
    return Wrong(kKeyFlag, absl::StrCat("the key does not belong to the first certificate in ", kCertificateFlag));
  }
  if (SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) {
    return Wrong(kKeyFlag, absl::StrCat("OpenSSL rejects the key: ", LastReason()));
  }
  for (size_t i = 1; i < chain->size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context.get(), (*chain)[i].get()) != 1) {
      return Wrong(kCertificateFlag, absl::StrCat("OpenSSL rejects certificate ", i + 1, ": ", LastReason()));
    }
  }
  if (absl::Status dates = CheckDates(*chain->front(), now); !dates.ok()) return dates;
  ERR_clear_error();
  return material.client_ca ? ReadCertificates(kClientCaFlag, *material.client_ca).status() : absl::OkStatus();
}

}  // namespace igptd
