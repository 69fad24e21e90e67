#include "tests/support/certificate.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace igpt::testing {
namespace {

template <typename Pointer>
Pointer Must(Pointer pointer, const char* what) {
  if (pointer == nullptr) {
    std::perror(what);
    std::abort();
  }
  return pointer;
}

void SetName(X509_NAME* name, const std::string& common_name) {
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(common_name.c_str()), -1,
                             -1, 0);
}

void AddExtension(X509* certificate, int what, const std::string& value) {
  X509_EXTENSION* extension = Must(X509V3_EXT_conf_nid(nullptr, nullptr, what, value.c_str()), "X509V3_EXT_conf_nid");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Returns what `write` writes.
std::string Written(const std::function<void(BIO*)>& write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(Must(BIO_new(BIO_s_mem()), "BIO_new"), BIO_free);
  write(bio.get());
  char* text = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(size)};
}

EVP_PKEY* MakeKey(const std::string& kind) {
  if (!absl::StartsWith(kind, "ED") && !absl::StartsWith(kind, "RSA")) return EVP_EC_gen(kind.c_str());
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, kind.c_str(), nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_keygen_init(context.get()) == 1) EVP_PKEY_generate(context.get(), &key);
  return key;
}

// The digest that a key of this kind signs with; null: its own.
const EVP_MD* DigestFor(const EVP_PKEY* key) {
  return EVP_PKEY_is_a(key, "ED25519") == 1 || EVP_PKEY_is_a(key, "ED448") == 1 ? nullptr : EVP_sha256();
}

// Signed by `issuer`; null: self-signed.
Identity Make(const std::string& name, const CertificateTerms& terms, bool authority, const Identity* issuer) {
  static std::atomic<int> serial = 1;
  Identity made = {{Must(X509_new(), "X509_new"), X509_free}, {Must(MakeKey(terms.key), "MakeKey"), EVP_PKEY_free}};
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), absl::ToInt64Seconds(terms.begins));
  X509_gmtime_adj(X509_getm_notAfter(certificate), absl::ToInt64Seconds(terms.ends));
  SetName(X509_get_subject_name(certificate), name);
  X509_set_pubkey(certificate, made.key.get());
  if (authority) {
    AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    AddExtension(certificate, NID_key_usage, "critical,keyCertSign");
  } else {
    const bool address = absl::ascii_isdigit(static_cast<unsigned char>(terms.host[0]));
    const std::string names = terms.names.empty() ? (address ? "IP:" : "DNS:") + terms.host : terms.names;
    AddExtension(certificate, NID_subject_alt_name, names);
  }
  const Identity& signer = issuer == nullptr ? made : *issuer;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate.get()));
  if (X509_sign(certificate, signer.key.get(), DigestFor(signer.key.get())) == 0) std::abort();
  return made;
}

}  // namespace

Authority::Authority(const std::string& name, const CertificateTerms& terms)
    : self_(Make(name, terms, true, nullptr)) {}

Identity Authority::Issue(const CertificateTerms& terms) const {
  return Make(terms.host, terms, terms.authority, &self_);
}

std::string Authority::Pem() const {
  return CertificatePem(self_);
}

std::string CertificatePem(const Identity& identity) {
  return Written([&](BIO* bio) { PEM_write_bio_X509(bio, identity.certificate.get()); });
}

std::string KeyPem(const Identity& identity) {
  return Written(
      [&](BIO* bio) { PEM_write_bio_PrivateKey(bio, identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
}

Identity SelfSigned(const CertificateTerms& terms) {
  return Make(terms.host, terms, false, nullptr);
}

}  // namespace igpt::testing
