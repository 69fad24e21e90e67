// Configuration: URLs and environments that would leak the key, rotation of secrets, and core dumps.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "grpcpp/security/credentials.h"
#include "tests/fault/fault_case.h"
#include "tests/support/await.h"
#include "tests/support/matchers.h"
#include "tests/support/scratch.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Optional;

// Row 43.

struct BadUrl {
  const char* name;
  const char* url;
  const char* why;
};
void PrintTo(const BadUrl& bad, std::ostream* out) {
  *out << bad.url;
}
class BaseUrlTest : public ::testing::TestWithParam<BadUrl> {};

TEST_P(BaseUrlTest, IsRefused) {
  for (const bool only_checked : {false, true}) {
    std::vector<std::string> flags = {std::string("--igpt_base_url=") + GetParam().url};
    if (only_checked) flags.emplace_back("--check_config");
    const IgptdProcess::Result result = IgptdProcess::Run(flags, {"IGPT_API_KEY=ak:canary-key"});
    EXPECT_THAT(result.exit_code, Optional(2));
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, HasSubstr("igptd: --igpt_base_url: "));
    EXPECT_THAT(result.err, HasSubstr(GetParam().why));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_THAT(result.err, Not(HasSubstr("canary")));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Urls, BaseUrlTest,
    ::testing::Values(BadUrl{"NoScheme", "api.igpt.ai/v1", "https://"}, BadUrl{"Empty", "", "https://"},
                      BadUrl{"OtherScheme", "ftp://api.igpt.ai/v1", "https://"},
                      BadUrl{"File", "file:///etc/passwd", "https://"},
                      BadUrl{"HttpToAPublicHost", "http://api.igpt.ai/v1", "loopback"},
                      BadUrl{"HttpToAPrivateAddress", "http://10.0.0.1/v1", "loopback"},
                      BadUrl{"HttpToAHostThatOnlyLooksLocal", "http://localhost.igpt.ai/v1", "loopback"},
                      BadUrl{"HttpToAnAddressThatOnlyLooksLocal", "http://127.0.0.1.igpt.ai/v1", "loopback"},
                      BadUrl{"User", "https://canary@api.igpt.ai/v1", "user"},
                      BadUrl{"UserAndPassword", "https://u:canary@api.igpt.ai/v1", "user"},
                      BadUrl{"HostAfterAnAt", "http://127.0.0.1@api.igpt.ai/v1", "user"},
                      BadUrl{"Query", "https://api.igpt.ai/v1?key=canary", "query"},
                      BadUrl{"Fragment", "https://api.igpt.ai/v1#canary", "fragment"},
                      BadUrl{"Port", "https://api.igpt.ai:99999/v1", "port"},
                      BadUrl{"LineEnd", "https://api.igpt.ai/v1\r\nX: y", "visible ASCII"},
                      BadUrl{"Space", "https://api.igpt.ai/ v1", "visible ASCII"}),
    [](const auto& bad) { return std::string("Row43_") + bad.param.name; });

// Row 83.

TEST(FailClosedTest, Row76_WithoutCallersOnlyThisMachineMayConnect) {
  for (const bool only_checked : {false, true}) {
    std::vector<std::string> flags = {"--listen=0.0.0.0:0"};
    if (only_checked) flags.emplace_back("--check_config");
    const IgptdProcess::Result result = IgptdProcess::Run(flags, {"IGPT_API_KEY=ak:test"});
    EXPECT_THAT(result.exit_code, Optional(2));
    EXPECT_THAT(result.err, HasSubstr("igptd: no callers file: "));
    EXPECT_THAT(result.err, HasSubstr("--callers_file"));
    EXPECT_THAT(result.err, HasSubstr("--allow_any_caller"));
  }
  const ScratchDirectory directory;
  const std::string callers = directory.Write("callers", R"({"callers":[]})");
  Igptd allowed({"--listen=0.0.0.0:0", "--allow_any_caller"});
  EXPECT_TRUE(allowed.process->AwaitStderr("anyone who can connect may call"));
  Igptd restricted({"--listen=0.0.0.0:0", "--callers_file=" + callers});
  const auto sandbox = IgptdProcess::Start({"--listen=0.0.0.0:0", "--sandbox"});
  EXPECT_THAT(sandbox, IsOk());
}

TEST(FailClosedTest, Row76_OnePortIsForOneListener) {
  for (const char* check : {"--check_config=true", "--check_config=false"}) {
    const IgptdProcess::Result result =
        IgptdProcess::Run({check, "--sandbox", "--listen=127.0.0.1:9090", "--admin_listen=0.0.0.0:9090"});
    EXPECT_THAT(result.exit_code, Optional(2));
    EXPECT_THAT(result.err, HasSubstr("--admin_listen: has the port of --listen"));
  }
}

// Row 84.

TEST(FailClosedTest, Row77_AnUnknownVariableIsNamed) {
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"--sandbox"}, {"--sandbox", "--check_config"}, {"health"}}) {
    const IgptdProcess::Result result = IgptdProcess::Run(command, {"IGPTD_CALLER_FILE=/canary"});
    EXPECT_THAT(result.exit_code, Optional(2));
    EXPECT_THAT(result.err, HasSubstr("IGPTD_CALLER_FILE: no such flag; did you mean IGPTD_CALLERS_FILE?"));
    EXPECT_THAT(result.err, Not(HasSubstr("canary")));
  }
  EXPECT_THAT(IgptdProcess::Run({"--sandbox", "--check_config"},
                                {"IGPTD_SERVICE_HOST=10.0.0.1", "IGPTD_PORT=tcp://10.0.0.1:50051",
                                 "IGPTD_ADMIN_PORT_9090_TCP_ADDR=10.0.0.2"})
                  .exit_code,
              Optional(0));
}

// Row 44. Whatever proxies and passwords the environment names, requests go to iGPT, with the key and no other secret.

TEST(EnvironmentTest, Row44_ProxiesNetrcAndCurlrcAreIgnored) {
  const ScratchDirectory home;
  ScriptedHttpServer elsewhere;
  home.Write(".netrc",
             "machine 127.0.0.1 login canary-login password canary-password\ndefault login canary-login "
             "password canary-password\n");
  home.Write(".curlrc",
             "proxy = " + elsewhere.url() + "\nheader = \"X-Curlrc: canary-login\"\nuser = canary-login:x\n");
  std::vector<std::string> environment = {"IGPT_API_KEY=ak:test",
                                          "HOME=" + home.path(),
                                          "CURL_HOME=" + home.path(),
                                          "XDG_CONFIG_HOME=" + home.path(),
                                          "NETRC=" + home.File(".netrc"),
                                          "no_proxy=",
                                          "NO_PROXY="};
  for (const char* variable : {"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    environment.push_back(std::string(variable) + "=" + elsewhere.url());
  }
  Igptd igptd({}, environment);
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"output":"Yes."})"); });
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, IsOkStatus());
  ASSERT_EQ(igptd.upstream.requests().size(), 1U);
  EXPECT_EQ(igptd.upstream.requests()[0].target, "/v1/recall/ask/");
  EXPECT_THAT(igptd.upstream.requests()[0].head, Not(HasSubstr("canary")));
  ExpectKeyEverywhere(igptd.upstream, "ak:test");
  EXPECT_EQ(elsewhere.connections(), 0);
}

TEST(EnvironmentTest, Row44_NorOverTls) {
  const ScratchDirectory home;
  ScriptedHttpServer elsewhere;
  ScriptedHttpServer upstream;
  upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"output":"Yes."})"); });
  const Authority authority("trusted");
  Relay relay(upstream.port(), authority.Issue());
  // TLS secrets in a file would reveal all traffic with iGPT, including the key.
  Igptd igptd({"--igpt_base_url=" + relay.url("/v1"), "--igpt_ca_file=" + home.Write("ca", authority.Pem())},
              {"IGPT_API_KEY=ak:test", "https_proxy=" + elsewhere.url(), "ALL_PROXY=" + elsewhere.url(),
               "SSLKEYLOGFILE=" + home.File("secrets")});
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, IsOkStatus());
  EXPECT_EQ(upstream.requests().size(), 1U);
  EXPECT_EQ(elsewhere.connections(), 0);
  igptd.Stop();
  EXPECT_FALSE(std::filesystem::exists(home.File("secrets")));
}

// Row 45. Secrets are rotated while calls are made: no call may fail, and the new secret must be used soon.

// Makes calls from several threads until it is destroyed.
class SteadyCalls {
 public:
  explicit SteadyCalls(Igptd& igptd) {
    for (int i = 0; i < 4; ++i) {
      threads_.emplace_back([this, &igptd] {
        v1::ListRequest request;
        request.set_user("ada");
        while (!over_) {
          EXPECT_THAT(igptd.List(request).status, IsOkStatus());
          ++made_;
          absl::SleepFor(absl::Milliseconds(2));
        }
      });
    }
  }
  ~SteadyCalls() {
    over_ = true;
    for (std::thread& thread : threads_) thread.join();
    EXPECT_GT(made_, 0);
  }

 private:
  std::atomic<bool> over_ = false;
  std::atomic<int> made_ = 0;
  std::vector<std::thread> threads_;
};

// Twice the target: ten times, as elsewhere, would take a minute.
constexpr absl::Duration kRotationLimit = absl::Seconds(10);

TEST(RotationTest, Row45_AKeyIsRotatedUnderLoad) {
  const ScratchDirectory directory;
  const std::string file = directory.Write("key", "ak:canary-1\n");
  Igptd igptd({"--igpt_api_key_file=" + file, "--log_level=trace"}, {});
  std::atomic<bool> rotated = false;
  igptd.upstream.OnRequest([&](Exchange& exchange) {
    if (exchange.request().Header("Authorization") == "Bearer ak:canary-2") rotated = true;
    exchange.Answer(200, R"({"datasources":[]})");
  });
  {
    const SteadyCalls calls(igptd);
    EXPECT_TRUE(igptd.upstream.AwaitRequests(8));
    const absl::Time start = absl::Now();
    directory.Write("key", "ak:canary-2\n");
    EXPECT_TRUE(AwaitTrue([&] { return rotated.load(); }));
    EXPECT_LE(absl::Now() - start, kRotationLimit);
  }
  igptd.Stop();
  EXPECT_THAT(igptd.process->Stderr(), Not(HasSubstr("canary")));
}

// The new authority is added to the file before iGPT's certificate changes.
TEST(RotationTest, Row45_TheCertificateAuthorityIsRotatedUnderLoad) {
  const ScratchDirectory directory;
  const Authority old_authority("old");
  const Authority new_authority("new");
  const std::string file = directory.Write("authorities", old_authority.Pem());
  ScriptedHttpServer upstream;
  upstream.OnRequest([](Exchange& exchange) {
    // Without keep-alive: every call has a handshake of its own.
    exchange.Answer(200, R"({"datasources":[]})", {{"Content-Type", "application/json"}, {"Connection", "close"}});
    exchange.Close();
  });
  Relay relay(upstream.port(), old_authority.Issue());
  Igptd igptd({"--igpt_base_url=" + relay.url("/v1"), "--igpt_ca_file=" + file, "--max_retries=1"});
  {
    const SteadyCalls calls(igptd);
    EXPECT_TRUE(upstream.AwaitRequests(8));
    directory.Write("authorities", old_authority.Pem() + new_authority.Pem());
    absl::SleepFor(absl::Seconds(5));  // the catalogue's limit
    relay.SetIdentity(new_authority.Issue());
    EXPECT_TRUE(upstream.AwaitRequests(upstream.requests().size() + 40));
  }
}

// igptd's own certificate and the authorities for callers are replaced in one step. Every call has its own handshake
// and trusts both certificates; the callers' certificate is from the authority that is in both files.
TEST(RotationTest, Row45_ItsOwnCertificateIsRotatedUnderLoad) {
  const ScratchDirectory directory;
  const Authority before("before");
  const Authority after("after");
  const Authority callers("callers");
  const Authority more_callers("more-callers");
  const auto put = [&](const std::string& version, const Identity& identity, const std::string& authorities) {
    std::filesystem::create_directory(directory.File(version));
    std::ofstream(directory.File(version + "/cert")) << CertificatePem(identity);
    std::ofstream(directory.File(version + "/key")) << KeyPem(identity);
    std::ofstream(directory.File(version + "/ca")) << authorities;
    directory.SwapLink("data", version);
  };
  put("1", before.Issue(), callers.Pem());
  Igptd igptd({"--tls_cert_file=" + directory.File("data/cert"), "--tls_key_file=" + directory.File("data/key"),
               "--tls_client_ca_file=" + directory.File("data/ca")});
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"datasources":[]})"); });
  const auto list = [&igptd](const std::string& trusted, const Identity& self) {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = trusted;
    options.pem_private_key = KeyPem(self);
    options.pem_cert_chain = CertificatePem(self);
    const auto stub = v1::DatasourcesService::NewStub(igptd.NewChannel(grpc::SslCredentials(options)));
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + kWaitLimit));
    v1::ListRequest request;
    request.set_user("ada");
    v1::ListResponse response;
    return stub->List(&context, request, &response);
  };
  std::atomic<bool> over = false;
  std::atomic<int> made = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, self = callers.Issue()] {
      while (!over) {
        EXPECT_THAT(list(before.Pem() + after.Pem(), self), IsOkStatus());
        ++made;
      }
    });
  }
  EXPECT_TRUE(AwaitTrue([&] { return made > 8; }));
  const absl::Time start = absl::Now();
  put("2", after.Issue(), callers.Pem() + more_callers.Pem());
  const Identity newcomer = more_callers.Issue();
  EXPECT_TRUE(AwaitTrue([&] { return list(after.Pem(), newcomer).ok(); }));
  EXPECT_LE(absl::Now() - start, kRotationLimit);
  const int made_before = made;
  EXPECT_TRUE(AwaitTrue([&] { return made > made_before + 8; }));
  over = true;
  for (std::thread& thread : threads) thread.join();
}

// Row 46. Every case of these tests checks logs and errors; these tests check the rest.

// The process ids of this process's children.
std::vector<std::string> Children() {
  std::vector<std::string> children;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "children");
    for (std::string id; file >> id;) children.push_back(id);
  }
  return children;
}

// A core dump would contain the key, questions and answers.
TEST(SecretsTest, Row46_NoCoreDumpIsWritten) {
  Igptd igptd;
  const std::vector<std::string> children = Children();
  ASSERT_EQ(children.size(), 1U);
  std::ifstream file("/proc/" + children[0] + "/limits");
  std::string limits((std::istreambuf_iterator<char>(file)), {});
  const size_t at = limits.find("Max core file size");
  ASSERT_NE(at, std::string::npos);
  std::istringstream line(limits.substr(at + std::string("Max core file size").size()));
  std::string soft;
  std::string hard;
  line >> soft >> hard;
  EXPECT_EQ(soft, "0");
  EXPECT_EQ(hard, "0");
}

TEST(SecretsTest, Row46_TheKeyIsNotOnTheCommandLine) {
  const IgptdProcess::Result result = IgptdProcess::Run({"--igpt_api_key=ak:canary-key"});
  EXPECT_THAT(result.exit_code, Optional(2));
  EXPECT_THAT(result.err, Not(HasSubstr("canary")));
}

TEST(SecretsTest, Row46_AnAnswerThatIsDeliveredIsNotLogged) {
  RunFault({.row = 46,
            .name = "Delivered",
            .scripts = {{Send(SseWhole({kRunStart, DeltaEvent(1, kAnswerCanary),
                                        R"({"type":"canary-answer-################","x":1})", kRunDone}))}},
            .include_raw = true,
            .events = 4});
}

}  // namespace
}  // namespace igpt::testing
