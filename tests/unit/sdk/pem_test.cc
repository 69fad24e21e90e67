#include "igpt/internal/policy/pem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_replace.h"
#include "tests/support/certificate.h"

namespace igpt::internal {
namespace {

using ::igpt::testing::CertificatePem;
using ::igpt::testing::Identity;
using ::igpt::testing::KeyPem;
using ::igpt::testing::SelfSigned;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kNone[] = "must hold";

std::string Replaced(const std::string& text, const char* from, const char* to) {
  return absl::StrReplaceAll(text, {{from, to}});
}

TEST(PemTest, Certificates) {
  const Identity identity = SelfSigned();
  const std::string pem = CertificatePem(identity);
  const std::string base64 = pem.substr(pem.find('\n') + 1, 64);
  for (const std::string& good : {
           pem,
           pem + pem,
           pem.substr(0, pem.size() - 1),
           "subject=/CN=ours\n" + pem + "\n\n# the next\n" + pem + "the end",
           Replaced(pem, "\n", "\r\n"),
           Replaced(pem, "\n", " \n"),
           Replaced(pem, " CERT", " TRUSTED CERT"),
           Replaced(pem, " CERT", " X509 CERT"),
           KeyPem(identity) + pem,
           CertificatePem(SelfSigned({.key = "RSA"})),
       }) {
    EXPECT_EQ(CertificatesProblem(good), "") << good;
  }
  for (const std::string& none : {std::string(), std::string("\0", 1), std::string("SECRET"), base64, KeyPem(identity),
                                  Replaced(pem, "-----BEGIN", "----BEGIN"), Replaced(pem, "CERTIFICATE", "X509 CRL"),
                                  std::string("\x30\x03\x02\x01\x01"), Replaced(pem, "\n", "")}) {
    EXPECT_THAT(CertificatesProblem(none), HasSubstr(kNone)) << none;
  }
  for (const std::string& broken : {
           pem.substr(0, pem.size() / 2),
           pem.substr(0, pem.size() - 10),
           Replaced(pem, base64.c_str(), ""),                                            // no DER any more
           Replaced(pem, base64.substr(1, 63).c_str(), "!SECRET"),                       // no base64
           pem.substr(0, pem.rfind("-----END") - 30) + "\n-----END CERTIFICATE-----\n",  // the end is missing
           Replaced(pem, "END CERTIFICATE", "END SECRET"),
           std::string("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
           std::string("-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"),
           std::string("-----BEGIN CERTIFICATE-----\nMP////8=\n-----END CERTIFICATE-----\n"),
           std::string("-----BEGIN CERTIFICATE-----\nU0VDUkVU\n-----END CERTIFICATE-----\n"),
       }) {
    EXPECT_EQ(CertificatesProblem(broken), "certificate 1 is cut off or garbled") << broken;
    EXPECT_EQ(CertificatesProblem(pem + KeyPem(identity) + broken), "certificate 2 is cut off or garbled") << broken;
    EXPECT_EQ(CertificatesProblem(broken + pem), "certificate 1 is cut off or garbled") << broken;
  }
}

TEST(PemTest, PrivateKeys) {
  const Identity identity = SelfSigned();
  const std::string pem = KeyPem(identity);
  for (const std::string& good :
       {pem, CertificatePem(identity) + pem, Replaced(pem, " PRIVATE", " EC PRIVATE"),
        KeyPem(SelfSigned({.key = "RSA"})),
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + pem}) {
    EXPECT_EQ(PrivateKeyProblem(good), "");
  }
  for (const std::string& none : {std::string(), std::string("SECRET"), CertificatePem(identity)}) {
    EXPECT_THAT(PrivateKeyProblem(none), HasSubstr(kNone));
    EXPECT_THAT(PrivateKeyProblem(none), Not(HasSubstr("SECRET")));
  }
  EXPECT_EQ(PrivateKeyProblem(pem.substr(0, pem.size() / 2)), "the key is cut off or garbled");
  EXPECT_EQ(PrivateKeyProblem(Replaced(pem, "\nM", "\n=")), "the key is cut off or garbled");
  // OpenSSL would ask for the passphrase on the terminal.
  EXPECT_THAT(PrivateKeyProblem(Replaced(pem, " PRIVATE", " ENCRYPTED PRIVATE")), HasSubstr("must not be encrypted"));
  EXPECT_THAT(
      PrivateKeyProblem(Replaced(pem, "BEGIN PRIVATE KEY-----\n",
                                 "BEGIN PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,AB\n\n")),
      HasSubstr("must not be encrypted"));
}

}  // namespace
}  // namespace igpt::internal
