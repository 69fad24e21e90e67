#include "service/edge/tls.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/certificate.h"

namespace igptd {
namespace {

using igpt::testing::Authority;
using igpt::testing::CertificatePem;
using igpt::testing::Identity;
using igpt::testing::KeyPem;
using ::testing::HasSubstr;
using ::testing::Not;

const Authority& Trusted() {
  static const auto* authority = new Authority("trusted");
  return *authority;
}

const Identity& Good() {
  static const auto* identity = new Identity(Trusted().Issue());
  return *identity;
}

// Encrypted with a password, as tools write it.
std::string LockedKeyPem(const Identity& identity) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  char password[] = "password";
  PEM_write_bio_PrivateKey(bio.get(), identity.key.get(), EVP_aes_128_cbc(), nullptr, 0, nullptr, password);
  char* text = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(size)};
}

struct TlsCase {
  std::string name;
  TlsMaterial material;
  std::string error;  // empty: good
};
void PrintTo(const TlsCase& test, std::ostream* out) {
  *out << test.name;
}

std::vector<TlsCase> TlsCases() {
  const std::string certificate = CertificatePem(Good());
  const std::string key = KeyPem(Good());
  const std::string ca = Trusted().Pem();
  const std::string half_certificate = certificate.substr(0, certificate.size() / 2);
  const Identity expired = Trusted().Issue({.begins = -absl::Hours(2), .ends = -absl::Hours(1)});
  const Identity early = Trusted().Issue({.begins = absl::Hours(1), .ends = absl::Hours(2)});
  return {
      {"Good", {certificate, key, {}}, ""},
      {"GoodWithAChain", {certificate + ca, key, {}}, ""},
      {"GoodWithAuthorities", {certificate, key, ca + ca}, ""},
      {"GoodWithTextAround", {"# ours\n" + certificate + "\n# end\n", key, {}}, ""},
      {"KeyAndCertificateInOneFile", {key + certificate, key + certificate, {}}, ""},
      {"NoCertificate", {"", key, {}}, "--tls_cert_file: must hold only intact certificates in PEM"},
      {"KeyForACertificate", {key, key, {}}, "--tls_cert_file: must hold only intact certificates in PEM"},
      {"Der",
       {std::string("\x30\x82\x01\x00", 4), key, {}},
       "--tls_cert_file: must hold only intact certificates in PEM"},
      {"HalfACertificate", {half_certificate, key, {}}, "--tls_cert_file: must hold only intact certificates in PEM"},
      {"HalfAChain",
       {certificate + half_certificate, key, {}},
       "--tls_cert_file: must hold only intact certificates in PEM, at least one"},
      {"NoKey", {certificate, "", {}}, "--tls_key_file: must hold a private key in PEM"},
      {"CertificateForAKey", {certificate, certificate, {}}, "--tls_key_file: must hold a private key in PEM"},
      {"HalfAKey", {certificate, key.substr(0, key.size() / 2), {}}, "--tls_key_file: must hold a private key in PEM"},
      {"KeyWithAPassword",
       {certificate, LockedKeyPem(Good()), {}},
       "--tls_key_file: must hold a private key in PEM, without a password"},
      {"AnotherKey",
       {certificate, KeyPem(expired), {}},
       "--tls_key_file: the key does not belong to the first certificate"},
      {"Expired", {CertificatePem(expired), KeyPem(expired), {}}, "--tls_cert_file: the certificate has expired"},
      {"NotYetValid", {CertificatePem(early), KeyPem(early), {}}, "--tls_cert_file: the certificate isn't valid yet"},
      {"NoAuthorities", {certificate, key, ""}, "--tls_client_ca_file: must hold only intact certificates in PEM"},
      {"HalfAnAuthority",
       {certificate, key, ca + ca.substr(0, ca.size() / 2)},
       "--tls_client_ca_file: must hold only intact certificates in PEM, at least one"},
  };
}

class TlsTest : public ::testing::TestWithParam<TlsCase> {};

TEST_P(TlsTest, IsFoundGoodOrNot) {
  const std::string error(ValidateTls(GetParam().material, absl::Now()).message());
  if (GetParam().error.empty()) {
    EXPECT_EQ(error, "");
  } else {
    EXPECT_THAT(error, HasSubstr(GetParam().error));
    EXPECT_THAT(error, Not(HasSubstr("BEGIN")));
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, TlsTest, ::testing::ValuesIn(TlsCases()),
                         [](const auto& test) { return test.param.name; });

TEST(TlsDatesTest, ItsTimeIsWhatItIsGiven) {
  const TlsMaterial material = {CertificatePem(Good()), KeyPem(Good()), {}};
  EXPECT_TRUE(ValidateTls(material, absl::Now()).ok());
  EXPECT_FALSE(ValidateTls(material, absl::Now() + absl::Hours(2)).ok());
  EXPECT_FALSE(ValidateTls(material, absl::Now() - absl::Hours(2)).ok());
}

}  // namespace
}  // namespace igptd
