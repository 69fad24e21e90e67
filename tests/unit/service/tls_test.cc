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
using igpt::testing::CertificateTerms;
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
  const auto with_key = [](const std::string& kind) { return Trusted().Issue({.key = kind}); };
  const auto material = [](const Identity& identity) {
    return TlsMaterial{CertificatePem(identity), KeyPem(identity), {}};
  };
  const auto with_authority = [&](const CertificateTerms& terms) {
    return TlsMaterial{certificate, key, ca + Authority("other", terms).Pem()};
  };
  const auto with_chain = [&](const CertificateTerms& terms) {
    return TlsMaterial{certificate + ca + Authority("other", terms).Pem(), key, {}};
  };
  const std::string unusable = " has a key that gRPC's clients can't use (";
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
      {"ExpiredInTheChain", with_chain({.begins = -absl::Hours(2), .ends = -absl::Hours(1)}),
       "--tls_cert_file: certificate 3 has expired"},
      {"EarlyInTheChain", with_chain({.begins = absl::Hours(1), .ends = absl::Hours(2)}),
       "--tls_cert_file: certificate 3 isn't valid yet"},
      {"ExpiredAuthority", with_authority({.begins = -absl::Hours(2), .ends = -absl::Hours(1)}),
       "--tls_client_ca_file: certificate 2 has expired"},
      {"EarlyAuthority", with_authority({.begins = absl::Hours(1), .ends = absl::Hours(2)}),
       "--tls_client_ca_file: certificate 2 isn't valid yet"},
      {"ALeafAsAuthority",
       {certificate, key, certificate},
       "--tls_client_ca_file: certificate 1 is not an authority's"},
      {"ALeafAmongAuthorities",
       {certificate, key, ca + certificate},
       "--tls_client_ca_file: certificate 2 is not an authority's"},
      {"ASelfSignedLeafAsAuthority",
       {certificate, key, CertificatePem(igpt::testing::SelfSigned())},
       "--tls_client_ca_file: certificate 1 is not an authority's"},
      {"AnAuthorityUnderAnother", {certificate, key, CertificatePem(Trusted().Issue({.authority = true})) + ca}, ""},
      {"Rsa", material(with_key("RSA")), ""},
      {"P384", material(with_key("P-384")), ""},
      {"P521", material(with_key("P-521")), "--tls_cert_file: the certificate" + unusable + "secp521r1)"},
      {"Ed25519", material(with_key("ED25519")), "--tls_cert_file: the certificate" + unusable + "ED25519)"},
      {"Ed448", material(with_key("ED448")), "--tls_cert_file: the certificate" + unusable + "ED448)"},
      {"RsaPss", material(with_key("RSA-PSS")), "--tls_cert_file: the certificate" + unusable + "RSA-PSS)"},
      {"Secp256k1", material(with_key("secp256k1")), "--tls_cert_file: the certificate" + unusable + "secp256k1)"},
      {"P521InTheChain", with_chain({.key = "P-521"}), ""},
      {"Ed25519InTheChain", with_chain({.key = "ED25519"}), ""},
      {"Ed448InTheChain", with_chain({.key = "ED448"}), "--tls_cert_file: certificate 3" + unusable + "ED448)"},
      {"Ed448AsAuthority", with_authority({.key = "ED448"}), ""},
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

TEST(TlsAuthoritiesTest, AtLeastOneIntactCertificate) {
  const std::string ca = Trusted().Pem();
  EXPECT_TRUE(ValidateAuthorities("--igpt_ca_file", "# ours\n" + ca + ca).ok());
  for (const std::string& text : {std::string(), std::string("none"), KeyPem(Good()), ca.substr(0, ca.size() / 2),
                                  ca + ca.substr(0, ca.size() / 2), std::string("\x30\x82\x01\x00", 4)}) {
    EXPECT_THAT(std::string(ValidateAuthorities("--igpt_ca_file", text).message()),
                HasSubstr("--igpt_ca_file: must hold only intact certificates in PEM, at least one"));
  }
}

TEST(TlsExpiryTest, IsTheEarliest) {
  const absl::Time now = absl::Now();
  const std::string pem = CertificatePem(Trusted().Issue({.ends = absl::Hours(5)})) +
                          CertificatePem(Trusted().Issue({.ends = absl::Hours(3)})) + Trusted().Pem();
  EXPECT_LE(absl::AbsDuration(EarliestExpiry(pem) - (now + absl::Hours(3))), absl::Minutes(1));
  EXPECT_EQ(EarliestExpiry(""), absl::InfiniteFuture());
  EXPECT_EQ(EarliestExpiry(KeyPem(Good())), absl::InfiniteFuture());
}

TEST(TlsDatesTest, ItsTimeIsWhatItIsGiven) {
  const TlsMaterial material = {CertificatePem(Good()), KeyPem(Good()), {}};
  EXPECT_TRUE(ValidateTls(material, absl::Now()).ok());
  EXPECT_FALSE(ValidateTls(material, absl::Now() + absl::Hours(2)).ok());
  EXPECT_FALSE(ValidateTls(material, absl::Now() - absl::Hours(2)).ok());
}

}  // namespace
}  // namespace igptd
