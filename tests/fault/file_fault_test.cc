// The files that igptd reads: certificates that are no use, files whose opening blocks, and new ones that are refused.
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/fault/fault_case.h"
#include "tests/support/await.h"
#include "tests/support/scratch.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using ::testing::HasSubstr;
using ::testing::Optional;

constexpr char kCallers[] =
    R"({"callers":[{"name":"a","token_sha256":[")"
    R"(6f1ed002ab5595859014ebf0951522d9a0a9b2a1d6c1c3e1e3ed1d5b6b3c3f6e"],"users":{"any":true}}]})";

// Row 85.

struct UselessCertificates {
  std::string name;
  std::string certificates;
  std::string key;
  std::string client_ca;
  std::string igpt_ca;
  std::string said;
};
void PrintTo(const UselessCertificates& test, std::ostream* out) {
  *out << test.name;
}

std::vector<UselessCertificates> UselessCertificatesCases() {
  const CertificateTerms kExpired = {.begins = -absl::Hours(2), .ends = -absl::Hours(1)};
  const Authority authority("ours");
  const Authority expired("expired", kExpired);
  const Identity good = authority.Issue();
  const Identity p521 = authority.Issue({.key = "P-521"});
  const Identity ed25519 = authority.Issue({.key = "ED25519"});
  const std::string certificate = CertificatePem(good);
  const std::string ca = authority.Pem();
  return {
      {"ExpiredClientCa", certificate, KeyPem(good), ca + expired.Pem(), ca,
       "--tls_client_ca_file: certificate 2 has expired"},
      {"ALeafAsClientCa", certificate, KeyPem(good), certificate, ca,
       "--tls_client_ca_file: certificate 1 is not an authority's"},
      {"ExpiredInTheChain", certificate + expired.Pem(), KeyPem(good), ca, ca,
       "--tls_cert_file: certificate 2 has expired"},
      {"NoCertificateForIgpt", certificate, KeyPem(good), ca, "# none yet\n",
       "--igpt_ca_file: must hold only intact certificates in PEM, at least one"},
      {"P521", CertificatePem(p521), KeyPem(p521), ca, ca, "gRPC's clients can't use (secp521r1)"},
      {"Ed25519", CertificatePem(ed25519), KeyPem(ed25519), ca, ca, "gRPC's clients can't use (ED25519)"},
  };
}

class UselessCertificatesTest : public ::testing::TestWithParam<UselessCertificates> {};

TEST_P(UselessCertificatesTest, AreNamedBeforeItServes) {
  const ScratchDirectory directory;
  const std::vector<std::string> flags = {"--tls_cert_file=" + directory.Write("cert", GetParam().certificates),
                                          "--tls_key_file=" + directory.Write("key", GetParam().key),
                                          "--tls_client_ca_file=" + directory.Write("client_ca", GetParam().client_ca),
                                          "--igpt_ca_file=" + directory.Write("igpt_ca", GetParam().igpt_ca)};
  for (const bool only_checked : {false, true}) {
    std::vector<std::string> all = flags;
    if (only_checked) all.emplace_back("--check_config");
    const IgptdProcess::Result result = IgptdProcess::Run(all, {"IGPT_API_KEY=ak:test"});
    EXPECT_THAT(result.exit_code, Optional(2));
    EXPECT_THAT(result.err, HasSubstr(GetParam().said));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, UselessCertificatesTest, ::testing::ValuesIn(UselessCertificatesCases()),
                         [](const auto& test) { return "Row78_" + test.param.name; });

// Row 86.

// A directory with every file that igptd can be given, whose mount can die.
class Mount {
 public:
  Mount() {
    const Authority authority("ours");
    const Identity self = authority.Issue();
    Put("igpt_api_key_file", "ak:test");
    Put("user_hash_key_file", "0123456789abcdef");
    Put("tls_cert_file", CertificatePem(self));
    Put("tls_key_file", KeyPem(self));
    Put("tls_client_ca_file", authority.Pem());
    Put("igpt_ca_file", authority.Pem());
    Put("callers_file", kCallers);
  }

  const std::vector<std::string>& names() const { return names_; }
  void Put(const std::string& name, const std::string& text) {
    directory_.Write(name, text);
    if (std::find(names_.begin(), names_.end(), name) == names_.end()) names_.push_back(name);
  }
  std::vector<std::string> Flags() const {
    std::vector<std::string> flags;
    for (const std::string& name : names_) flags.push_back(absl::StrCat("--", name, "=", directory_.File(name)));
    return flags;
  }
  std::vector<std::string> Environment() const {
    const char* library = std::getenv("DEAD_MOUNT_LIBRARY");
    if (library == nullptr) std::abort();
    return {absl::StrCat("LD_PRELOAD=", library), "DEAD_MOUNT=" + directory_.path(),
            "ASAN_OPTIONS=verify_asan_link_order=0"};
  }
  void Die() const { directory_.Write("dead", ""); }
  void Revive() const { std::filesystem::remove(directory_.File("dead")); }
  void ReplaceByFifo(const std::string& name) const {
    std::filesystem::remove(directory_.File(name));
    EXPECT_EQ(::mkfifo(directory_.File(name).c_str(), 0600), 0);
  }

 private:
  const ScratchDirectory directory_;
  std::vector<std::string> names_;
};

TEST(BlockedFileTest, Row79_AFifoIsNamedAtTheStart) {
  const Mount whole;
  for (const std::string& name : whole.names()) {
    SCOPED_TRACE(name);
    const Mount mount;
    mount.ReplaceByFifo(name);
    for (const char* check : {"--check_config=true", "--check_config=false"}) {
      std::vector<std::string> flags = mount.Flags();
      flags.emplace_back(check);
      const IgptdProcess::Result result = IgptdProcess::Run(flags);
      EXPECT_THAT(result.exit_code, Optional(2));
      EXPECT_THAT(result.err, HasSubstr(absl::StrCat("--", name, ": the file ")));
      EXPECT_THAT(result.err, HasSubstr("is not a regular file"));
    }
  }
}

TEST(BlockedFileTest, Row79_ADeadMountIsNamedAtTheStart) {
  const Mount mount;
  mount.Die();
  for (const char* check : {"--check_config=true", "--check_config=false"}) {
    std::vector<std::string> flags = mount.Flags();
    flags.emplace_back(check);
    const IgptdProcess::Result result = IgptdProcess::Run(flags, mount.Environment());
    EXPECT_THAT(result.exit_code, Optional(2));
    for (const std::string& name : mount.names()) EXPECT_THAT(result.err, HasSubstr(absl::StrCat("--", name, ": ")));
    EXPECT_THAT(result.err, HasSubstr("no answer within 5s"));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
}

TEST(BlockedFileTest, Row79_TheHealthProbeEndsInTime) {
  const Mount mount;
  mount.Die();
  std::vector<std::string> environment = mount.Environment();
  for (const std::string& flag : mount.Flags()) {
    if (flag.find("tls_cert_file") != flag.npos) environment.push_back("IGPTD_TLS_CERT_FILE=" + flag.substr(16));
    if (flag.find("tls_key_file") != flag.npos) environment.push_back("IGPTD_TLS_KEY_FILE=" + flag.substr(15));
  }
  const IgptdProcess::Result result =
      IgptdProcess::Run({"health", "--address=127.0.0.1:1", "--timeout=200ms"}, environment);
  EXPECT_THAT(result.exit_code, Optional(1));
  EXPECT_THAT(result.err, HasSubstr("--tls_cert_file: the file "));
  EXPECT_THAT(result.err, HasSubstr("no answer within 200ms"));
}

double LastReload(const Igptd& igptd, const std::string& file) {
  return igptd.Metrics().at(absl::StrCat("igptd_file_last_reload_successful{file=\"", file, "\"}"));
}

// Its files can't be read any more, but signals and pages are answered, and so is the drain.
TEST(BlockedFileTest, Row79_ADeadMountHoldsNothingUpWhileItServes) {
  const Mount mount;
  Igptd igptd(mount.Flags(), mount.Environment());
  EXPECT_EQ(LastReload(igptd, "callers_file"), 1);
  mount.Die();
  EXPECT_TRUE(igptd.process->AwaitStderr("keeping the old callers"));
  EXPECT_TRUE(igptd.process->AwaitStderr("keeping the old certificates"));
  EXPECT_TRUE(igptd.process->AwaitStderr("keeping the old iGPT key"));
  for (const char* file :
       {"callers_file", "tls_cert_file", "tls_key_file", "tls_client_ca_file", "igpt_api_key_file"}) {
    EXPECT_EQ(LastReload(igptd, file), 0) << file;
  }
  igptd.process->Signal(SIGHUP);
  EXPECT_TRUE(igptd.process->AwaitStderr("log level changed"));
  mount.Revive();
  EXPECT_TRUE(igptd.process->AwaitStderr("good again: the callers in use"));
  EXPECT_TRUE(AwaitTrue([&] { return LastReload(igptd, "tls_key_file") == 1; }));
  mount.Die();
  igptd.process->Signal(SIGTERM);
  EXPECT_THAT(igptd.process->AwaitExit(), Optional(0));
  mount.Revive();
}

// A connection to iGPT needs the authorities at every handshake.
TEST(BlockedFileTest, Row79_AuthoritiesThatBlockHoldUpNoCall) {
  const ScratchDirectory directory;
  const Authority authority("theirs");
  const Authority next("next");
  const std::string file = directory.Write("authorities", authority.Pem());
  ScriptedHttpServer upstream;
  upstream.OnRequest([](Exchange& exchange) {
    exchange.Answer(200, R"({"datasources":[]})", {{"Content-Type", "application/json"}, {"Connection", "close"}});
    exchange.Close();
  });
  Relay relay(upstream.port(), authority.Issue());
  Igptd igptd({"--igpt_base_url=" + relay.url("/v1"), "--igpt_ca_file=" + file, "--max_retries=1"});
  v1::ListRequest request;
  request.set_user("ada");
  EXPECT_THAT(igptd.List(request).status, IsOkStatus());
  std::filesystem::remove(file);
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  EXPECT_TRUE(igptd.process->AwaitStderr("keeping the old authorities for iGPT"));
  EXPECT_THAT(igptd.List(request).status, IsOkStatus());
  EXPECT_EQ(igptd.Get("/healthz").status, 200);
  directory.Write("authorities", "nothing");
  EXPECT_TRUE(igptd.process->AwaitStderr("--igpt_ca_file: must hold only intact certificates"));
  EXPECT_THAT(igptd.List(request).status, IsOkStatus());
  directory.Write("authorities", next.Pem());
  EXPECT_TRUE(igptd.process->AwaitStderr("using the new authorities for iGPT"));
  EXPECT_THAT(igptd.List(request).status, FailsWith(grpc::StatusCode::UNAVAILABLE, "NETWORK_ERROR"));
  relay.SetIdentity(next.Issue());
  EXPECT_TRUE(AwaitTrue([&] { return igptd.List(request).status.ok(); }));
}

// Row 87.

TEST(RefusedFileTest, Row80_IsSeenUntilItIsGoodAgain) {
  Mount mount;
  Igptd igptd(mount.Flags(), {});
  const auto reloaded_at = [&](const std::string& file) {
    return igptd.Metrics().at(absl::StrCat("igptd_file_last_reload_success_timestamp_seconds{file=\"", file, "\"}"));
  };
  const double start = reloaded_at("callers_file");
  EXPECT_NEAR(start, static_cast<double>(absl::ToUnixSeconds(absl::Now())), 120);
  mount.Put("callers_file", "{");
  EXPECT_TRUE(igptd.process->AwaitStderr("keeping the old callers"));
  EXPECT_EQ(LastReload(igptd, "callers_file"), 0);
  EXPECT_EQ(LastReload(igptd, "igpt_api_key_file"), 1);
  mount.Put("callers_file", kCallers);
  EXPECT_TRUE(igptd.process->AwaitStderr("good again: the callers in use"));
  EXPECT_EQ(LastReload(igptd, "callers_file"), 1);
  EXPECT_EQ(reloaded_at("callers_file"), start);
  mount.Put("callers_file", std::string(kCallers) + "\n");
  EXPECT_TRUE(igptd.process->AwaitStderr("using the new callers"));
  EXPECT_GT(reloaded_at("callers_file"), start);
}

TEST(RefusedFileTest, Row80_TheExpiryOfEveryCertificateIsAMetric) {
  Mount mount;
  const Authority authority("ours");
  const Identity self = authority.Issue({.ends = absl::Hours(9)});
  mount.Put("tls_cert_file", CertificatePem(self) + Authority("other", {.ends = absl::Hours(5)}).Pem());
  mount.Put("tls_key_file", KeyPem(self));
  mount.Put("tls_client_ca_file", authority.Pem() + Authority("another", {.ends = absl::Hours(3)}).Pem());
  mount.Put("igpt_ca_file", Authority("theirs", {.ends = absl::Hours(7)}).Pem());
  Igptd igptd(mount.Flags(), {});
  const auto hours_left = [&](const std::string& file) {
    const double at =
        igptd.Metrics().at(absl::StrCat("igptd_certificate_expiry_timestamp_seconds{file=\"", file, "\"}"));
    return (at - static_cast<double>(absl::ToUnixSeconds(absl::Now()))) / 3600;
  };
  EXPECT_NEAR(hours_left("tls_cert_file"), 5, 0.1);
  EXPECT_NEAR(hours_left("tls_client_ca_file"), 3, 0.1);
  EXPECT_NEAR(hours_left("igpt_ca_file"), 7, 0.1);
  EXPECT_EQ(igptd.Metrics().count("igptd_certificate_expiry_timestamp_seconds{file=\"tls_key_file\"}"), 0U);
  mount.Put("tls_client_ca_file", authority.Pem());
  EXPECT_TRUE(igptd.process->AwaitStderr("using the new certificates"));
  EXPECT_NEAR(hours_left("tls_client_ca_file"), 48, 0.1);
}

}  // namespace
}  // namespace igpt::testing
