#include "service/edge/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
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
  ERR_clear_error();
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

// `which` names the certificate.
absl::Status CheckDates(const char* flag, const std::string& which, const X509& certificate, absl::Time now) {
  std::time_t at = absl::ToTimeT(now);
  if (X509_cmp_time(X509_get0_notAfter(&certificate), &at) <= 0) {
    return Wrong(flag, absl::StrCat(which, " has expired; get a new one, or remove it if it isn't needed"));
  }
  if (X509_cmp_time(X509_get0_notBefore(&certificate), &at) > 0) {
    return Wrong(flag, absl::StrCat(which, " isn't valid yet; check this machine's clock, or get another one"));
  }
  return absl::OkStatus();
}

// "the certificate" is igptd's own; those after it are counted from 2.
std::string NameInChain(size_t index) {
  return index == 0 ? "the certificate" : absl::StrCat("certificate ", index + 1);
}

// Most clients of gRPC use BoringSSL. It can verify with more kinds of keys that signed a certificate than with those
// that a server proves itself with.
absl::Status CheckKey(const X509& certificate, size_t index) {
  std::vector<std::string> usable = {"RSA", SN_X9_62_prime256v1, SN_secp384r1};
  if (index > 0) usable.insert(usable.end(), {SN_secp521r1, SN_ED25519});
  const EVP_PKEY* key = X509_get0_pubkey(&certificate);
  const char* type = key == nullptr ? nullptr : EVP_PKEY_get0_type_name(key);
  std::string kind = type == nullptr ? "unknown" : type;
  if (kind == "EC") {
    char curve[64] = "EC";
    EVP_PKEY_get_group_name(key, curve, sizeof(curve), nullptr);
    kind = curve;
  }
  if (std::find(usable.begin(), usable.end(), kind) != usable.end()) return absl::OkStatus();
  return Wrong(kCertificateFlag, absl::StrCat(NameInChain(index), " has a key that gRPC's clients can't use (", kind,
                                              "); get one with a key of RSA, ECDSA P-256 or ECDSA P-384"));
}

absl::Status CheckChain(const std::vector<Certificate>& chain, absl::Time now) {
  for (size_t i = 0; i < chain.size(); ++i) {
    if (absl::Status dates = CheckDates(kCertificateFlag, NameInChain(i), *chain[i], now); !dates.ok()) return dates;
    if (absl::Status key = CheckKey(*chain[i], i); !key.ok()) return key;
  }
  return absl::OkStatus();
}

absl::Status CheckClientAuthorities(const std::string& pem, absl::Time now) {
  const absl::StatusOr<std::vector<Certificate>> authorities = ReadCertificates(kClientCaFlag, pem);
  if (!authorities.ok()) return authorities.status();
  for (size_t i = 0; i < authorities->size(); ++i) {
    const std::string which = absl::StrCat("certificate ", i + 1);
    if (X509_check_ca((*authorities)[i].get()) == 0) {
      return Wrong(kClientCaFlag,
                   absl::StrCat(which, " is not an authority's; name the authority that issued callers' certificates"));
    }
    if (absl::Status dates = CheckDates(kClientCaFlag, which, *(*authorities)[i], now); !dates.ok()) return dates;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateTls(const TlsMaterial& material, absl::Time now) {
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
  if (absl::Status good = CheckChain(*chain, now); !good.ok()) return good;
  return material.client_ca ? CheckClientAuthorities(*material.client_ca, now) : absl::OkStatus();
}

absl::Status ValidateAuthorities(const char* flag, const std::string& pem) {
  return ReadCertificates(flag, pem).status();
}

absl::Time EarliestExpiry(const std::string& pem) {
  absl::Time earliest = absl::InfiniteFuture();
  const absl::StatusOr<std::vector<Certificate>> certificates = ReadCertificates("", pem);
  if (!certificates.ok()) return earliest;
  for (const Certificate& certificate : *certificates) {
    std::tm ends = {};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &ends) != 1) continue;
    earliest = std::min(earliest, absl::FromTM(ends, absl::UTCTimeZone()));
  }
  return earliest;
}

}  // namespace igptd
