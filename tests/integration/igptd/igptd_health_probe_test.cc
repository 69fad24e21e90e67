// `igptd health` against an igptd that serves, one that drains, none at all, and one that never answers.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/integration/igptd/igptd_fixture.h"
#include "tests/support/certificate.h"
#include "tests/support/scratch.h"

namespace igpt::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::StartsWith;

IgptdProcess::Result Probe(std::vector<std::string> flags, const std::vector<std::string>& environment = {}) {
  flags.insert(flags.begin(), "health");
  return IgptdProcess::Run(flags, environment);
}

void ExpectServing(const IgptdProcess::Result& result) {
  EXPECT_THAT(result.exit_code, Optional(0)) << result.err;
  EXPECT_EQ(result.out, "serving\n");
  EXPECT_EQ(result.err, "");
}

// Exit code 1 and one line that says `why`.
void ExpectNotServing(const IgptdProcess::Result& result, const std::string& why) {
  EXPECT_THAT(result.exit_code, Optional(1));
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, AllOf(StartsWith("igptd health: "), HasSubstr(why)));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
}

std::string PortOf(const std::string& address) {
  return address.substr(address.rfind(':'));
}

// A bound address where nobody accepts connections. With `listening`, they wait in the backlog.
class DeafSocket {
 public:
  explicit DeafSocket(bool listening) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(fd_, generic, size), 0);
    if (listening) {
      EXPECT_EQ(listen(fd_, 1), 0);
    }
    EXPECT_EQ(getsockname(fd_, generic, &size), 0);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~DeafSocket() { close(fd_); }
  DeafSocket(const DeafSocket&) = delete;
  DeafSocket& operator=(const DeafSocket&) = delete;

  const std::string& address() const { return address_; }

 private:
  int fd_;
  std::string address_;
};

TEST(IgptdHealthProbeTest, Serving) {
  const Igptd igptd;
  const std::string& address = igptd.process->address();
  ExpectServing(Probe({"--address=" + address}));
  ExpectServing(Probe({"--address=" + address, "--service=igpt.v1.RecallService"}));
  // It finds the igptd that was started with this variable, and ignores proxies.
  ExpectServing(Probe({}, {"IGPTD_LISTEN=0.0.0.0" + PortOf(address), "http_proxy=http://127.0.0.1:1"}));
  ExpectNotServing(Probe({"--address=" + address, "--service=igpt.v1.NoService"}),
                   "igpt.v1.NoService: no such service");
}

TEST(IgptdHealthProbeTest, Draining) {
  Igptd igptd({"--drain_delay=5m"});
  const std::string flag = "--address=" + igptd.process->address();
  igptd.process->Signal(SIGTERM);
  ASSERT_TRUE(igptd.process->AwaitStderr("draining"));
  // Health checks change a moment after the line was logged.
  IgptdProcess::Result result;
  const absl::Time limit = absl::Now() + kWaitLimit;
  do {
    result = Probe({flag});
  } while (result.exit_code == 0 && absl::Now() < limit);
  ExpectNotServing(result, igptd.process->address() + ": NOT_SERVING");
  ExpectServing(Probe({flag, "--service=liveness"}));  // draining is no reason to restart it
  igptd.process->Signal(SIGTERM);
  EXPECT_THAT(igptd.process->AwaitExit(), Optional(0));
}

// With the variables that igptd was started with, and without flags for TLS.
TEST(IgptdHealthProbeTest, OverTls) {
  const Authority authority("servers");
  const Identity server = authority.Issue({.host = "igptd.example"});
  const ScratchDirectory directory;
  const std::vector<std::string> variables = {
      "IGPTD_TLS_CERT_FILE=" + directory.Write("cert", CertificatePem(server)),
      "IGPTD_TLS_KEY_FILE=" + directory.Write("key", KeyPem(server)),
  };
  const auto start = [&variables](const std::vector<std::string>& flags) {
    std::vector<std::string> environment = variables;
    environment.push_back(std::string("IGPT_API_KEY=") + kKey);
    return std::make_unique<Igptd>(flags, environment);
  };
  auto igptd = start({});
  ExpectServing(Probe({"--address=" + igptd->process->address()}, variables));
  ExpectNotServing(Probe({"--address=" + igptd->process->address()}), "failed to connect");

  // If callers need a certificate, igptd's own will do if it is from their authority.
  igptd = start({"--tls_client_ca_file=" + directory.Write("ca", authority.Pem())});
  ExpectServing(Probe({"--address=" + igptd->process->address()}, variables));
  const Authority callers("callers");
  igptd = start({"--tls_client_ca_file=" + directory.Write("ca", callers.Pem())});
  ExpectNotServing(Probe({"--address=" + igptd->process->address()}, variables), igptd->process->address());
  const Identity prober = callers.Issue();
  ExpectServing(Probe(
      {"--address=" + igptd->process->address(), "--tls_cert_file=" + directory.Write("probe", CertificatePem(prober)),
       "--tls_key_file=" + directory.Write("probe.key", KeyPem(prober))},
      variables));
}

TEST(IgptdHealthProbeTest, NobodyThere) {
  const DeafSocket nobody(/*listening=*/false);
  ExpectNotServing(Probe({"--address=" + nobody.address()}), "Connection refused");
}

TEST(IgptdHealthProbeTest, NoAnswer) {
  const DeafSocket silent(/*listening=*/true);
  ExpectNotServing(Probe({"--address=" + silent.address(), "--timeout=100ms"}), "no answer within 100ms");
}

TEST(IgptdHealthProbeTest, WrongUsage) {
  const IgptdProcess::Result wrong = Probe({"--adress=127.0.0.1:1"});
  EXPECT_THAT(wrong.exit_code, Optional(2));
  EXPECT_THAT(wrong.err, AllOf(StartsWith("igptd health: "), HasSubstr("--adress")));
  const IgptdProcess::Result help = Probe({"--help"}, {"IGPTD_LISTEN=0.0.0.0:1234"});
  EXPECT_THAT(help.exit_code, Optional(0));
  EXPECT_THAT(help.out, HasSubstr("(default 127.0.0.1:1234)"));
}

}  // namespace
}  // namespace igpt::testing
