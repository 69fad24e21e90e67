// igptd's own TLS: with and without callers' certificates, bad files, and rotated certificates.
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "igpt/testing/internal/unique_fd.h"
#include "tests/integration/igptd/igptd_fixture.h"
#include "tests/support/await.h"
#include "tests/support/certificate.h"
#include "tests/support/loopback.h"
#include "tests/support/scratch.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Optional;
using ::testing::SizeIs;

// A server's files: "cert", "key" and, on request, "ca".
class TlsFiles {
 public:
  explicit TlsFiles(const Identity& identity) { Write(identity); }
  void Write(const Identity& identity) const {
    directory_.Write("key", KeyPem(identity));
    directory_.Write("cert", CertificatePem(identity));
  }
  std::vector<std::string> Flags() const {
    return {"--tls_cert_file=" + directory_.File("cert"), "--tls_key_file=" + directory_.File("key")};
  }
  std::vector<std::string> FlagsWithClientCa(const std::string& authorities) const {
    std::vector<std::string> flags = Flags();
    flags.push_back("--tls_client_ca_file=" + directory_.Write("ca", authorities));
    return flags;
  }
  const ScratchDirectory& directory() const { return directory_; }

 private:
  ScratchDirectory directory_;
};

std::shared_ptr<grpc::ChannelCredentials> Trusting(const std::string& authorities) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = authorities;
  return grpc::SslCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> Trusting(const std::string& authorities, const Identity& self) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = authorities;
  options.pem_private_key = KeyPem(self);
  options.pem_cert_chain = CertificatePem(self);
  return grpc::SslCredentials(options);
}

// How a List ends on a new connection.
grpc::Status ListOver(const Igptd& igptd, const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  const auto stub = v1::DatasourcesService::NewStub(igptd.NewChannel(credentials));
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kWaitLimit));
  v1::ListRequest request;
  request.set_user("ada");
  v1::ListResponse response;
  return stub->List(&context, request, &response);
}

void AnswerLists(Igptd& igptd) {
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"datasources":[]})"); });
}

// Waits until a call on a new connection with these credentials succeeds.
bool AwaitServed(const Igptd& igptd, const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  return AwaitTrue([&] { return ListOver(igptd, credentials).ok(); });
}

TEST(IgptdTlsTest, CallersTrustItsAuthorityOrDoNotCall) {
  const Authority authority("ours");
  const Authority other("other");
  const TlsFiles files(authority.Issue());
  Igptd igptd(files.Flags());
  AnswerLists(igptd);
  EXPECT_THAT(ListOver(igptd, Trusting(authority.Pem())), IsOkStatus());
  EXPECT_EQ(ListOver(igptd, Trusting(other.Pem())).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ListOver(igptd, grpc::InsecureChannelCredentials()).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(igptd.upstream.requests(), SizeIs(1));
}

// Turns with work for several calls cork the connection, even if what is written is TLS records.
TEST(IgptdTlsTest, StreamsOnOneConnectionArriveWhole) {
  constexpr int kStreams = 24;
  constexpr int kEvents = 200;
  const Authority authority("ours");
  const TlsFiles files(authority.Issue());
  Igptd igptd(files.Flags());
  igptd.upstream.OnRequest([](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(kRunStart);
    for (int i = 1; i <= kEvents; ++i) exchange.SendSse(DeltaEvent(i, std::to_string(i) + std::string(i % 300, '.')));
    exchange.SendSse(kRunDone);
    exchange.EndChunked();
  });
  igptd.UseChannel(igptd.NewChannel(Trusting(authority.Pem())));
  std::vector<std::thread> threads;
  for (int s = 0; s < kStreams; ++s) {
    threads.emplace_back([&igptd] {
      const Stream stream = igptd.Ask(AskFor("ada", "?"));
      EXPECT_THAT(stream.status, IsOkStatus());
      ASSERT_THAT(stream.events, SizeIs(kEvents + 2));
      for (int i = 1; i <= kEvents; ++i) {
        EXPECT_EQ(stream.events[i].delta(), std::to_string(i) + std::string(i % 300, '.'));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(IgptdTlsTest, WithAuthoritiesOfCallersACertificateIsNeeded) {
  const Authority servers("servers");
  const Authority callers("callers");
  const TlsFiles files(servers.Issue());
  Igptd igptd(files.FlagsWithClientCa(callers.Pem()));
  AnswerLists(igptd);
  EXPECT_THAT(ListOver(igptd, Trusting(servers.Pem(), callers.Issue({.host = "billing.internal"}))), IsOkStatus());
  const struct {
    const char* what;
    std::shared_ptr<grpc::ChannelCredentials> credentials;
  } kRefused[] = {
      {"none", Trusting(servers.Pem())},
      {"of another authority", Trusting(servers.Pem(), servers.Issue())},
      {"of itself", Trusting(servers.Pem(), SelfSigned())},
      {"expired", Trusting(servers.Pem(), callers.Issue({.begins = -absl::Hours(2), .ends = -absl::Hours(1)}))},
  };
  for (const auto& test : kRefused) {
    EXPECT_EQ(ListOver(igptd, test.credentials).error_code(), grpc::StatusCode::UNAVAILABLE) << test.what;
  }
  EXPECT_THAT(igptd.upstream.requests(), SizeIs(1));
}

TEST(IgptdTlsTest, BadFilesAreNamed) {
  const Authority authority("ours");
  const TlsFiles files(authority.Issue());
  const ScratchDirectory& directory = files.directory();
  const Identity expired = authority.Issue({.begins = -absl::Hours(2), .ends = -absl::Hours(1)});
  const std::string cert = "--tls_cert_file=" + directory.File("cert");
  const std::string key = "--tls_key_file=" + directory.File("key");
  const struct {
    std::vector<std::string> flags;
    std::vector<std::string> named;
  } kCases[] = {
      {{cert, "--tls_key_file=/no/such/file"}, {"--tls_key_file: the file /no/such/file can't be opened"}},
      {{"--tls_cert_file=" + directory.path(), key}, {"--tls_cert_file: ", "can't be read: Is a directory"}},
      {{cert, "--tls_key_file=" + directory.File("cert")}, {"--tls_key_file: must hold a private key in PEM"}},
      {{"--tls_cert_file=" + directory.Write("expired", CertificatePem(expired)),
        "--tls_key_file=" + directory.Write("expired_key", KeyPem(expired))},
       {"--tls_cert_file: the certificate has expired"}},
      {{cert, "--tls_key_file=" + directory.File("expired_key")}, {"--tls_key_file: the key does not belong to"}},
      {{cert, key, "--tls_client_ca_file=" + directory.Write("empty", "")}, {"--tls_client_ca_file: must hold"}},
      {{cert}, {"--tls_cert_file: needs --tls_key_file"}},
      {{cert, "--tls_key_file=/no/such/file", "--callers_file=/no/other/file"}, {"/no/such/file", "/no/other/file"}},
  };
  for (const auto& test : kCases) {
    for (const bool only_checked : {false, true}) {
      std::vector<std::string> flags = test.flags;
      flags.emplace_back("--listen=127.0.0.1:0");
      if (only_checked) flags.emplace_back("--check_config");
      const IgptdProcess::Result result = IgptdProcess::Run(flags, {"IGPT_API_KEY=ak:test"});
      EXPECT_THAT(result.exit_code, Optional(2)) << test.named.front();
      for (const std::string& named : test.named) EXPECT_THAT(result.err, HasSubstr(named));
      EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    }
  }
  EXPECT_THAT(IgptdProcess::Run({cert, key, "--check_config"}, {"IGPT_API_KEY=ak:test"}).exit_code, Optional(0));
}

TEST(IgptdTlsTest, ANewCertificateIsShownAndWhatRunsGoesOn) {
  Event go_on;
  const Authority before("before");
  const Authority after("after");
  const TlsFiles files(before.Issue());
  Igptd igptd(files.Flags());
  igptd.upstream.OnNextRequest(RunUntil(go_on));
  const auto old_channel = igptd.NewChannel(Trusting(before.Pem()));
  igptd.UseChannel(old_channel);
  grpc::ClientContext context;
  const auto reader = igptd.recall->Ask(&context, AskFor("ada", "?"));
  v1::AskResponse event;
  ASSERT_TRUE(reader->Read(&event));
  AnswerLists(igptd);

  files.Write(after.Issue());
  EXPECT_TRUE(AwaitServed(igptd, Trusting(after.Pem())));
  EXPECT_EQ(ListOver(igptd, Trusting(before.Pem())).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(igptd.process->AwaitStderr("using the new certificates"));

  v1::ListRequest request;
  request.set_user("ada");
  EXPECT_THAT(igptd.List(request).status, IsOkStatus());  // on the old connection
  go_on.Set();
  EXPECT_THAT(ReadAll(context, *reader).status, IsOkStatus());
}

TEST(IgptdTlsTest, ABrokenReplacementIsRefusedAndSaidOnce) {
  const Authority authority("ours");
  const Authority other("other");
  const TlsFiles files(authority.Issue());
  Igptd igptd(files.Flags());
  AnswerLists(igptd);
  const auto credentials = Trusting(authority.Pem());
  const std::string key = KeyPem(other.Issue());
  files.directory().Write("key", key);
  EXPECT_TRUE(igptd.process->AwaitStderr("the key does not belong to the first certificate"));
  EXPECT_THAT(ListOver(igptd, credentials), IsOkStatus());
  files.directory().Write("key", key.substr(0, key.size() / 2));
  EXPECT_TRUE(igptd.process->AwaitStderr("must hold a private key in PEM"));
  EXPECT_THAT(ListOver(igptd, credentials), IsOkStatus());
  std::filesystem::remove(files.directory().File("cert"));
  EXPECT_TRUE(igptd.process->AwaitStderr("can't be opened"));
  EXPECT_THAT(ListOver(igptd, credentials), IsOkStatus());
  files.Write(other.Issue());
  EXPECT_TRUE(AwaitServed(igptd, Trusting(other.Pem())));
  igptd.Stop();
  const std::string log = igptd.process->Stderr();
  for (const char* why : {"the key does not belong to", "must hold a private key", "can't be opened"}) {
    const size_t first = log.find(why);
    EXPECT_EQ(log.find(why, first + 1), std::string::npos) << log;
  }
  EXPECT_THAT(log, Not(HasSubstr("BEGIN")));
}

// As Kubernetes updates a mounted secret.
TEST(IgptdTlsTest, ASwappedLinkChangesCertificateKeyAndAuthoritiesTogether) {
  const Authority servers("servers");
  const Authority callers_before("callers-before");
  const Authority callers_after("callers-after");
  const ScratchDirectory directory;
  const auto put = [&](const std::string& version, const Identity& identity, const std::string& authorities) {
    std::filesystem::create_directory(directory.File(version));
    std::ofstream(directory.File(version + "/tls.crt")) << CertificatePem(identity);
    std::ofstream(directory.File(version + "/tls.key")) << KeyPem(identity);
    std::ofstream(directory.File(version + "/ca.crt")) << authorities;
    directory.SwapLink("..data", version);
  };
  put("..1", servers.Issue(), callers_before.Pem());
  for (const std::string name : {"tls.crt", "tls.key", "ca.crt"}) {
    std::filesystem::create_symlink("..data/" + name, directory.File(name));
  }
  Igptd igptd({"--tls_cert_file=" + directory.File("tls.crt"), "--tls_key_file=" + directory.File("tls.key"),
               "--tls_client_ca_file=" + directory.File("ca.crt")});
  AnswerLists(igptd);
  const auto old_caller = Trusting(servers.Pem(), callers_before.Issue());
  const auto new_caller = Trusting(servers.Pem(), callers_after.Issue());
  EXPECT_THAT(ListOver(igptd, old_caller), IsOkStatus());
  EXPECT_EQ(ListOver(igptd, new_caller).error_code(), grpc::StatusCode::UNAVAILABLE);
  put("..2", servers.Issue(), callers_after.Pem());
  EXPECT_TRUE(AwaitServed(igptd, new_caller));
  EXPECT_EQ(ListOver(igptd, old_caller).error_code(), grpc::StatusCode::UNAVAILABLE);
}

// A connection to igptd that is only TCP until Begin.
class LateClient {
 public:
  explicit LateClient(int port) : socket_(ConnectToLoopback(port)), context_(SSL_CTX_new(TLS_client_method())) {
    const timeval limit = {.tv_sec = absl::ToInt64Seconds(kWaitLimit), .tv_usec = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~LateClient() {
    SSL_free(tls_);
    SSL_CTX_free(context_);
  }
  LateClient(const LateClient&) = delete;
  LateClient& operator=(const LateClient&) = delete;

  bool connected() const { return socket_.get() >= 0; }

  // Does the TLS handshake and sends the HTTP/2 preface. Returns false if igptd refuses.
  bool Begin() {
    constexpr unsigned char kH2[] = {2, 'h', '2'};
    constexpr std::string_view kFirst("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 24 + 9);  // empty SETTINGS
    tls_ = SSL_new(context_);
    SSL_set_alpn_protos(tls_, kH2, sizeof kH2);
    SSL_set_fd(tls_, socket_.get());
    return SSL_connect(tls_) == 1 && SSL_write(tls_, kFirst.data(), kFirst.size()) == kFirst.size();
  }

  // Waits for GOAWAY. Returns false if the connection ends first or kWaitLimit passes.
  bool AwaitGoaway() {
    constexpr size_t kHeadBytes = 9;
    constexpr char kGoaway = 7;
    std::string in;
    for (char buffer[4096];;) {
      const int size = SSL_read(tls_, buffer, sizeof buffer);
      if (size <= 0) return false;
      in.append(buffer, static_cast<size_t>(size));
      while (in.size() >= kHeadBytes) {
        if (in[3] == kGoaway) return true;
        const auto byte = [&in](size_t i) { return static_cast<size_t>(static_cast<unsigned char>(in[i])); };
        const size_t frame = kHeadBytes + (byte(0) << 16 | byte(1) << 8 | byte(2));
        if (in.size() < frame) break;
        in.erase(0, frame);
      }
    }
  }

 private:
  const UniqueFd socket_;
  SSL_CTX* const context_;
  SSL* tls_ = nullptr;
};

// gRPC can't send GOAWAY on a connection that is still in its handshake.
TEST(IgptdTlsTest, WhoIsInItsHandshakeWhenTheDrainBeginsIsAskedToLeaveToo) {
  const Authority authority("ours");
  const TlsFiles files(authority.Issue());
  Event go_on;
  std::vector<std::string> flags = files.Flags();
  flags.insert(flags.end(), {"--drain_delay=0s", "--drain_timeout=5m"});
  Igptd igptd(flags);
  igptd.upstream.OnRequest(RunUntil(go_on));
  const auto stub = v1::RecallService::NewStub(igptd.NewChannel(Trusting(authority.Pem())));
  grpc::ClientContext context;
  const auto reader = stub->Ask(&context, AskFor("ada", "?"));  // keeps igptd running
  v1::AskResponse event;
  ASSERT_TRUE(reader->Read(&event));

  const std::string& address = igptd.process->address();
  const int port = std::stoi(address.substr(address.rfind(':') + 1));
  LateClient late(port);
  ASSERT_TRUE(late.connected());
  ASSERT_TRUE(AwaitTrue([&] { return igptd.Metrics()["igptd_connections"] == 2; }));
  igptd.process->Signal(SIGTERM);
  ASSERT_TRUE(AwaitTrue([&] { return ConnectToLoopback(port).get() < 0; }));
  ASSERT_TRUE(late.Begin());
  EXPECT_TRUE(late.AwaitGoaway());

  go_on.Set();
  EXPECT_THAT(ReadAll(context, *reader).status, IsOkStatus());
  EXPECT_THAT(igptd.process->AwaitExit(), Optional(0));
}

}  // namespace
}  // namespace igpt::testing
