// Whom a client trusts, and the certificate that it shows, over real TLS.
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "tests/fault/relay.h"
#include "tests/integration/sdk/sdk_fixture.h"
#include "tests/support/certificate.h"
#include "tests/support/scratch.h"

namespace igpt::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SdkTlsTest : public ::testing::Test {
 protected:
  SdkTlsTest() : authority_("trusted"), relay_(server_.port(), authority_.Issue()) {
    server_.OnRequest(Respond(200, "[]"));
    options_ = OptionsFor(server_);
    options_.base_url = relay_.url("/v1");
    options_.max_retries = 3;
  }

  absl::Status Search() const { return MakeClient(options_)->recall().Search({}).status(); }

  // Ends with a lasting error after one request, whose message says so.
  void ExpectRefused(const std::string& message) {
    const absl::Status status = Search();
    EXPECT_THAT(status, IsError(ErrorKind::kTls));
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
    EXPECT_EQ(ErrorOf(status).value_or(Error()).call.attempts, 1);
  }

  // The name under which OpenSSL looks for an authority in a directory.
  static std::string HashedName(const Authority& authority) {
    const Identity child = authority.Issue();
    return absl::StrFormat("%08x.0", X509_issuer_name_hash(child.certificate.get()));
  }

  ScratchDirectory directory_;
  ScriptedHttpServer server_;
  const Authority authority_;
  const Authority other_ = Authority("other");
  Relay relay_;
  Options options_;
};

constexpr char kUnknown[] = "from an unknown authority";

TEST_F(SdkTlsTest, TrustsOnlyWhomItIsTold) {
  ExpectRefused(kUnknown);
  options_.ca_pem = other_.Pem();
  ExpectRefused(kUnknown);
  options_.ca_pem = other_.Pem() + authority_.Pem();
  EXPECT_THAT(Search(), IsOk());
  options_.ca_pem = "";
  options_.ca_file = directory_.Write("ca", "# ours\n" + authority_.Pem());
  EXPECT_THAT(Search(), IsOk());
}

TEST_F(SdkTlsTest, TrustsADirectory) {
  options_.ca_dir = directory_.path();
  ExpectRefused(kUnknown);
  directory_.Write(HashedName(authority_), authority_.Pem());
  EXPECT_THAT(Search(), IsOk());
  options_.ca_pem = other_.Pem();
  EXPECT_THAT(Search(), IsOk()) << "the directory and the text";
  relay_.SetIdentity(other_.Issue());
  EXPECT_THAT(Search(), IsOk()) << "the directory and the text";
  options_.ca_pem = "";
  ExpectRefused(kUnknown);
}

TEST_F(SdkTlsTest, TrustsTheSameOfAProxy) {
  const Authority of_proxy("proxy");
  Relay proxy(relay_.port(), of_proxy.Issue(), Greeting::kServe);
  // It speaks TLS and leads on, but it knows no CONNECT: how far the client comes tells whether it was trusted.
  options_.proxy = proxy.url("");
  options_.ca_pem = authority_.Pem();
  EXPECT_THAT(std::string(Search().message()), HasSubstr("has a certificate that was refused"));
  options_.ca_dir = directory_.path();
  directory_.Write(HashedName(of_proxy), of_proxy.Pem());
  EXPECT_THAT(std::string(Search().message()), Not(HasSubstr("has a certificate that was refused")));
}

TEST_F(SdkTlsTest, BadAuthoritiesAreRefused) {
  const std::string whole = authority_.Pem();
  const std::string cut = whole.substr(0, whole.size() / 2);
  const auto error = [](const Options& options) { return std::string(Client::Create(options).status().message()); };
  options_.ca_pem = whole + cut;
  EXPECT_EQ(error(options_), "ca_pem: certificate 2 is cut off or garbled");
  options_.ca_pem = "";
  options_.ca_file = directory_.Write("ca", whole + cut);
  EXPECT_EQ(error(options_), "ca_file: certificate 2 is cut off or garbled");
  options_.ca_file = directory_.Write("ca", "SECRET");
  EXPECT_THAT(error(options_), HasSubstr("ca_file: must hold certificates in PEM"));
  options_.ca_file = directory_.File("missing");
  EXPECT_THAT(error(options_), HasSubstr("ca_file: must be a file"));
  options_.ca_file = directory_.path();
  EXPECT_THAT(error(options_), HasSubstr("ca_file: must be a file"));
}

TEST_F(SdkTlsTest, AuthoritiesThatAreBadReplaceNone) {
  options_.ca_pem = authority_.Pem();
  const std::unique_ptr<Client> client = MakeClient(options_);
  for (const char* bad : {"SECRET", "-----BEGIN CERTIFICATE-----\n", " "}) {
    const absl::Status set = client->SetAuthorities(bad);
    EXPECT_THAT(set, IsError(ErrorKind::kInvalidRequest)) << bad;
    EXPECT_THAT(std::string(set.message()), HasSubstr("ca_pem: ")) << bad;
    EXPECT_THAT(std::string(set.message()), Not(HasSubstr("SECRET"))) << bad;
  }
  EXPECT_THAT(client->recall().Search({}), IsOk());
  relay_.Die();
  relay_.SetIdentity(other_.Issue());
  relay_.ComeBack();
  EXPECT_THAT(client->recall().Search({}), IsError(ErrorKind::kTls));
  EXPECT_THAT(client->SetAuthorities(other_.Pem()), IsOk());
  EXPECT_THAT(client->recall().Search({}), IsOk());
}

// A relay that wants certificates, with each version of TLS: only the older one says so within the handshake.
class SdkClientCertificateTest : public SdkTlsTest, public ::testing::WithParamInterface<int> {
 protected:
  SdkClientCertificateTest() {
    relay_.WantClientCertificates(clients_.Pem(), GetParam());
    options_.ca_pem = authority_.Pem();
  }

  void Show(const Identity& certificate, const Identity& key) {
    options_.client_certificate_pem = CertificatePem(certificate);
    options_.client_key_pem = KeyPem(key);
  }

  const Authority clients_ = Authority("clients");
};
INSTANTIATE_TEST_SUITE_P(Tls, SdkClientCertificateTest, ::testing::Values(TLS1_2_VERSION, 0),
                         [](const auto& version) { return version.param == 0 ? "Newest" : "Tls12"; });

TEST_P(SdkClientCertificateTest, IsShown) {
  for (const char* kind : {"P-256", "RSA", "ED25519"}) {
    const Identity mine = clients_.Issue({.host = "me", .key = kind});
    Show(mine, mine);
    EXPECT_THAT(Search(), IsOk()) << kind;
  }
  // By way of an authority between, which is in the same text.
  const Identity mine = clients_.Issue({.host = "me"});
  options_.client_certificate_pem = CertificatePem(mine) + clients_.Pem();
  options_.client_key_pem = CertificatePem(mine) + KeyPem(mine);
  EXPECT_THAT(Search(), IsOk());
}

TEST_P(SdkClientCertificateTest, IsMissing) {
  const absl::Status status = Search();
  EXPECT_THAT(status, IsError(GetParam() == 0 ? ErrorKind::kTls : ErrorKind::kNetwork));
  // TLS 1.2 has no alert that says what is missing.
  const char* const says = GetParam() == 0 ? "check client_certificate_pem" : "the TLS handshake with iGPT failed";
  EXPECT_THAT(std::string(status.message()), HasSubstr(says));
  EXPECT_EQ(server_.connections(), 0);
}

TEST_P(SdkClientCertificateTest, IsOfAnUnknownAuthority) {
  const Identity mine = other_.Issue({.host = "me"});
  Show(mine, mine);
  ExpectRefused("check client_certificate_pem");
}

TEST_P(SdkClientCertificateTest, IsAnothersKeys) {
  for (const char* kind : {"P-256", "RSA"}) {
    Show(clients_.Issue({.host = "me"}), clients_.Issue({.host = "me", .key = kind}));
    ExpectRefused("check that client_key_pem is the key of client_certificate_pem");
  }
}

// What only OpenSSL finds: DER that is no certificate, and no key.
TEST_P(SdkClientCertificateTest, IsNoCertificate) {
  const Identity mine = clients_.Issue({.host = "me"});
  constexpr char kNumber[] = "-----BEGIN %s-----\nMAMCAQE=\n-----END %s-----\n";
  Show(mine, mine);
  options_.client_certificate_pem = absl::StrFormat(kNumber, "CERTIFICATE", "CERTIFICATE");
  ExpectRefused("the client certificate could not be used");
  Show(mine, mine);
  options_.client_key_pem = absl::StrFormat(kNumber, "PRIVATE KEY", "PRIVATE KEY");
  ExpectRefused("the client certificate could not be used");
}

TEST_P(SdkClientCertificateTest, BothOrNone) {
  const Identity mine = clients_.Issue({.host = "me"});
  const auto error = [this] { return std::string(Client::Create(options_).status().message()); };
  options_.client_certificate_pem = CertificatePem(mine);
  EXPECT_EQ(error(), "client_key_pem: must be set with client_certificate_pem");
  options_.client_key_pem = "SECRET";
  EXPECT_THAT(error(), AllOf(HasSubstr("client_key_pem: must hold a private key"), Not(HasSubstr("SECRET"))));
  options_.client_key_pem = KeyPem(mine);
  options_.client_certificate_pem = "";
  EXPECT_EQ(error(), "client_certificate_pem: must be set with client_key_pem");
  options_.client_certificate_pem = KeyPem(mine);
  EXPECT_THAT(error(), HasSubstr("client_certificate_pem: must hold certificates"));
}

}  // namespace
}  // namespace igpt::testing
