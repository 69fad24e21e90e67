// haproxy in front of igptd, which puts the calls of all callers on the same connections: what happens to one caller's
// call must not harm another's.
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/fault/fault_case.h"
#include "tests/support/await.h"
#include "tests/support/http2_client.h"
#include "tests/support/loopback.h"
#include "tests/support/scratch.h"
#include "tests/support/subprocess.h"

namespace igpt::testing {
namespace {

constexpr char kHaproxy[] = "/usr/sbin/haproxy";

class SharedConnectionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::access(kHaproxy, X_OK), 0) << "install haproxy";
    igptd_.upstream.OnRequest([this](Exchange& exchange) {
      if (exchange.request().body.find("bad") != std::string::npos) return exchange.Stall();
      RunUntil(go_on_)(exchange);
    });
  }

  // `rule`: a further line for requests.
  void StartHaproxy(const std::string& rule) {
    int port = 0;
    const UniqueFd holder = HoldPort(&port);
    address_ = absl::StrCat("127.0.0.1:", port);
    const std::string path = directory_.File("haproxy.cfg");
    std::ofstream(path) << "global\n  nbthread 1\n  noreuseport\ndefaults\n  mode http\n  timeout connect 5s\n"
                           "  timeout client 2m\n  timeout server 2m\nfrontend callers\n  bind "
                        << address_ << " proto h2\n  " << rule
                        << "\n  default_backend igptd\nbackend igptd\n  http-reuse always\n  server igptd "
                        << igptd_.process->address() << " proto h2\n";
    haproxy_ =
        std::make_unique<Subprocess>(std::vector<std::string>{kHaproxy, "-db", "-f", path}, std::vector<std::string>{});
    ASSERT_TRUE(AwaitTrue([&] { return ConnectToLoopback(port).get() >= 0; })) << haproxy_->Stderr();
  }

  // Makes a neighbour's call, and meanwhile this many calls with this metadata, each from a connection of its own; then
  // lets the neighbour's call end, which must succeed.
  void ExpectNeighbourUnharmed(int calls, const Http2Client::Headers& metadata) {
    Http2Client neighbour(address_);
    const uint32_t stream = neighbour.Open(kAskPath);
    neighbour.Message(stream, AskFor("ada", "neighbour").SerializeAsString());
    ASSERT_TRUE(neighbour.Await([&] { return neighbour.data_bytes() > 0; }));
    for (int i = 0; i < calls; ++i) {
      Http2Client client(address_);
      const uint32_t bad = client.Open(kAskPath, metadata);
      client.Message(bad, AskFor("eve", "bad").SerializeAsString());
      ASSERT_TRUE(client.Await([&] { return client.EndOf(bad) != nullptr; }));
    }
    EXPECT_EQ(neighbour.EndOf(stream), nullptr);
    go_on_.Set();
    ASSERT_TRUE(neighbour.Await([&] { return neighbour.EndOf(stream) != nullptr; }));
    EXPECT_EQ(neighbour.EndOf(stream)->grpc_status, StatusCode::OK);
  }

  Event go_on_;  // before igptd, whose upstream uses it
  const ScratchDirectory directory_;
  Igptd igptd_;
  std::string address_;
  std::unique_ptr<Subprocess> haproxy_;
};

TEST_F(SharedConnectionTest, Row63_DeadlinesOfOtherCallers) {
  StartHaproxy("");
  ExpectNeighbourUnharmed(60, {{"grpc-timeout", "20m"}});
}

// What docs/operations.md advises.
TEST_F(SharedConnectionTest, Row64_BinaryMetadataThatAProxyRemoves) {
  StartHaproxy("http-request del-header -bin -m end");
  ExpectNeighbourUnharmed(10, {{"x-bad-bin", "%%%"}, {"grpc-timeout", "20m"}});
}

// gRPC 1.51 ends the connection, newer versions the call.
TEST(BinaryMetadataTest, Row64_EndsItsConnectionAndNoOther) {
  Event go_on;
  Igptd igptd;
  igptd.upstream.OnRequest(RunUntil(go_on));
  Http2Client neighbour(igptd.process->address());
  const uint32_t stream = neighbour.Open(kAskPath);
  neighbour.Message(stream, AskFor("ada", "?").SerializeAsString());
  ASSERT_TRUE(neighbour.Await([&] { return neighbour.data_bytes() > 0; }));
  Http2Client client(igptd.process->address());
  const uint32_t bad = client.Open(kAskPath, {{"x-bad-bin", "%%%"}});
  client.Message(bad, AskFor("eve", "bad").SerializeAsString());
  EXPECT_TRUE(client.Await([&] { return client.ended() || client.EndOf(bad) != nullptr; }));
  go_on.Set();
  ASSERT_TRUE(neighbour.Await([&] { return neighbour.EndOf(stream) != nullptr; }));
  EXPECT_EQ(neighbour.EndOf(stream)->grpc_status, StatusCode::OK);
}

}  // namespace
}  // namespace igpt::testing
