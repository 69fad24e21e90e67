// A proxy between igptd and iGPT: what iGPT says through it, and what it refuses itself.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "tests/fault/fault_case.h"
#include "tests/support/scratch.h"

namespace igpt::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ProxyFaultTest : public ::testing::TestWithParam<Fault> {};

TEST_P(ProxyFaultTest, EndsAsTheCatalogueSays) {
  RunFault(GetParam());
}

#define TABLE(name, ...) INSTANTIATE_TEST_SUITE_P(name, ProxyFaultTest, ::testing::ValuesIn(__VA_ARGS__), NameOfParam)

// Row 54. The proxy's own 200 is not iGPT's.

const Authority& Trusted() {
  static const Authority kAuthority("trusted");
  return kAuthority;
}

Fault Through(Fault fault) {
  fault.row = 54;
  fault.way = Way{.identity = Trusted().Issue(), .greeting = Greeting::kConnect, .trusted = Trusted().Pem()};
  fault.flags = {"--max_retries=1"};
  return fault;
}
Fault Refused(int status, StatusCode code, const std::string& reason) {
  return Through({.name = "Http" + std::to_string(status),
                  .scripts = {{Send(Whole(status, "{}"))}},
                  .code = code,
                  .reason = reason,
                  .facts = {{"http_status", std::to_string(status)}}});
}
std::vector<Fault> Refusals() {
  std::vector<Fault> faults = {
      Refused(302, StatusCode::INTERNAL, "IGPT_PROTOCOL"),
      Refused(400, StatusCode::INVALID_ARGUMENT, "IGPT_PARAMS"),
      Refused(401, StatusCode::FAILED_PRECONDITION, "IGPT_AUTH"),
      Refused(500, StatusCode::UNAVAILABLE, "IGPT_UNAVAILABLE"),
      Refused(503, StatusCode::UNAVAILABLE, "IGPT_UNAVAILABLE"),
      Through({.name = "ErrorBody",
               .scripts = {{Send(Whole(200, R"({"error":"auth"})"))}},
               .code = StatusCode::FAILED_PRECONDITION,
               .reason = "IGPT_AUTH"}),
  };
  return faults;
}
TABLE(ThroughAProxy, InCalls(kAllCalls, Refusals()));
TABLE(AnswersThroughAProxy,
      std::vector<Fault>({
          Through({.name = "Stream", .scripts = {{Send(SseWhole({kRunStart, kRunDone}))}}, .events = 2}),
          Through({.name = "Search", .call = Call::kSearch, .scripts = {{Send(Whole(200, "[]"))}}}),
          Through({.name = "NotFound",
                   .call = Call::kDisconnect,
                   .scripts = {{Send(Whole(404, "{}"))}},
                   .code = StatusCode::NOT_FOUND,
                   .reason = "IGPT_NOT_FOUND",
                   .facts = {{"http_status", "404"}}}),
      }));

// Proxies of other kinds. The upstream's name resolves to 127.0.0.1: see fault_resolver.cc.
class ProxyKindTest : public ::testing::Test {
 protected:
  // Of 127.0.0.1 and localhost.
  ProxyKindTest()
      : authorities_(directory_.Write("authorities", Trusted().Pem())), names_(directory_.Write("names", "ok")) {
    upstream_.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"datasources":[]})"); });
  }

  std::unique_ptr<Igptd> Through(const std::string& proxy, const std::string& base_url) {
    std::vector<std::string> environment = ResolverEnvironment(names_);
    environment.push_back("IGPT_API_KEY=ak:test");
    return std::make_unique<Igptd>(
        std::vector<std::string>{"--log_level=trace", "--max_retries=1", "--igpt_base_url=" + base_url,
                                 "--igpt_ca_file=" + authorities_, "--igpt_proxy=" + proxy},
        environment);
  }

  static grpc::Status List(Igptd& igptd, absl::Duration deadline = absl::InfiniteDuration()) {
    igpt::v1::ListRequest request;
    request.set_user("ada");
    return igptd
        .List(request,
              [deadline](grpc::ClientContext& context) {
                if (deadline != absl::InfiniteDuration())
                  context.set_deadline(absl::ToChronoTime(absl::Now() + deadline));
              })
        .status;
  }

  const ScratchDirectory directory_;
  const std::string authorities_;
  const std::string names_;
  ScriptedHttpServer upstream_;
};

std::string Named(const std::string& scheme, const Relay& relay) {
  return scheme + "://user:canary@127.0.0.1:" + std::to_string(relay.port());
}

TEST_F(ProxyKindTest, Row54_OverHttps) {
  Relay server(upstream_.port(), Trusted().Issue(), Greeting::kConnect);
  Relay proxy(server.port(), Trusted().Issue());
  const auto igptd = Through(Named("https", proxy), "https://127.0.0.1:1/v1");
  EXPECT_THAT(List(*igptd), IsOkStatus());
  upstream_.OnRequest([](Exchange& exchange) { exchange.Answer(401, ""); });
  EXPECT_THAT(List(*igptd), FailsWith(StatusCode::FAILED_PRECONDITION, "IGPT_AUTH"));
}

TEST_F(ProxyKindTest, Row54_BySocks) {
  for (const std::string scheme : {"socks5", "socks5h"}) {
    for (const std::string host : {"127.0.0.1", "localhost"}) {
      Relay proxy(upstream_.port(), Trusted().Issue({.names = "IP:127.0.0.1,DNS:localhost"}), Greeting::kSocks);
      const auto igptd = Through(Named(scheme, proxy), "https://" + host + ":1/v1");
      upstream_.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"datasources":[]})"); });
      EXPECT_THAT(List(*igptd), IsOkStatus()) << scheme << host;
      upstream_.OnRequest([](Exchange& exchange) { exchange.Answer(401, ""); });
      EXPECT_THAT(List(*igptd), FailsWith(StatusCode::FAILED_PRECONDITION, "IGPT_AUTH")) << scheme << host;
    }
  }
}

// A look-up that doesn't end holds up nothing: not the call that waits for it, and not the loop.
TEST_F(ProxyKindTest, Row54_BySocksWithASlowLookUp) {
  Relay proxy(upstream_.port(), Trusted().Issue({.names = "IP:127.0.0.1,DNS:localhost"}), Greeting::kSocks);
  const auto igptd = Through(Named("socks5", proxy), "https://localhost:1/v1");
  directory_.Write("names", "wait");
  const absl::Time start = absl::Now();
  EXPECT_EQ(List(*igptd, absl::Milliseconds(300)).error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(igptd->Get("/healthz").status, 200);
  igptd->MetricsAtRest();
  EXPECT_LE(absl::Now() - start, absl::Seconds(5));
  directory_.Write("names", "ok");
  EXPECT_THAT(List(*igptd), IsOkStatus());
}

// Row 55. The proxy is named, and the key and iGPT's health are not blamed.
TEST(ProxyFaultTest, Row55_WhatTheProxyRefusesIsTheProxys) {
  const struct {
    int status;
    size_t attempts;
  } cases[] = {{401, 1}, {403, 1}, {407, 1}, {502, 3}, {503, 3}};
  for (const auto& [status, attempts] : cases) {
    SCOPED_TRACE(status);
    ScriptedHttpServer proxy;
    proxy.OnRequest([status = status](Exchange& exchange) { exchange.Answer(status, "canary-body"); });
    const std::string address = "127.0.0.1:" + std::to_string(proxy.port());
    Igptd igptd({"--log_level=trace", "--igpt_base_url=https://127.0.0.1:1/v1",
                 "--igpt_proxy=http://canary-user:canary-password@" + address});
    igpt::v1::DisconnectRequest request;
    request.set_user("ada");
    request.set_id("a/b/c");
    const auto disconnect = igptd.Disconnect(request);
    EXPECT_THAT(disconnect.status, FailsWith(StatusCode::UNAVAILABLE, "NETWORK_ERROR"));
    EXPECT_THAT(disconnect.status.error_message(),
                AllOf(HasSubstr("the proxy " + address), HasSubstr("HTTP " + std::to_string(status)),
                      Not(HasSubstr("canary"))));
    EXPECT_EQ(proxy.requests().size(), attempts);
    EXPECT_EQ(proxy.requests().at(0).method, "CONNECT");
    EXPECT_EQ(proxy.requests().at(0).Header("Authorization"), std::nullopt);
    EXPECT_NE(proxy.requests().at(0).Header("Proxy-Authorization"), std::nullopt);
    EXPECT_THAT(igptd.Get("/configz").body, Not(HasSubstr("canary")));
    igptd.Stop();
    EXPECT_THAT(igptd.process->Stderr(), Not(HasSubstr("canary")));
  }
}

TEST_F(ProxyKindTest, Row55_WhatFailsAtTheProxyIsTheProxys) {
  static const Authority kUnknown("unknown");
  const struct {
    const char* name;
    std::string scheme;
    std::optional<Identity> identity;
    Greeting greeting;
    const char* words;
  } kCases[] = {
      {"Close", "http", std::nullopt, Greeting::kClose, "broke the connection"},
      {"Reset", "http", std::nullopt, Greeting::kReset, "broke the connection"},
      {"CloseAtConnect", "http", std::nullopt, Greeting::kConnectAbort, "broke the connection"},
      {"NoHttp", "http", std::nullopt, Greeting::kCutHandshake, "broke the connection"},
      {"NoTls", "https", std::nullopt, Greeting::kGarbage, "broke the connection"},
      {"UnknownAuthority", "https", kUnknown.Issue(), Greeting::kServe, "certificate"},
      {"Socks", "socks5h", std::nullopt, Greeting::kSocksRefuse, "did not lead on"},
      {"SocksReset", "socks5h", std::nullopt, Greeting::kReset, "did not lead on"},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.name);
    Relay proxy(upstream_.port(), test.identity, test.greeting);
    const auto igptd = Through(Named(test.scheme, proxy), "https://127.0.0.1:1/v1");
    for (int i = 0; i < 100; ++i) {  // none is held back
      const grpc::Status status = List(*igptd);
      ASSERT_THAT(status, FailsWith(StatusCode::UNAVAILABLE, "NETWORK_ERROR"));
      ASSERT_THAT(status.error_message(), AllOf(HasSubstr("the proxy 127.0.0.1:" + std::to_string(proxy.port())),
                                                HasSubstr(test.words), Not(HasSubstr("canary"))));
    }
    igptd->Stop();
    EXPECT_THAT(igptd->process->Stderr(), Not(HasSubstr("canary")));
  }
  EXPECT_TRUE(upstream_.requests().empty());
}

TEST_F(ProxyKindTest, Row55_AProxyThatIsNotThere) {
  const auto igptd = Through("http://127.0.0.1:1", "https://127.0.0.1:2/v1");
  EXPECT_THAT(List(*igptd).error_message(), HasSubstr("the proxy 127.0.0.1:1 refused the connection"));
  const auto unnamed = Through("http://nobody.test:1", "https://127.0.0.1:2/v1");
  directory_.Write("names", "nxdomain");
  EXPECT_THAT(List(*unnamed).error_message(), HasSubstr("the proxy nobody.test:1 has a host name"));
}

TEST(ProxyFaultTest, Row55_ARefusingProxyHoldsNothingBack) {
  ScriptedHttpServer proxy;
  proxy.OnRequest([](Exchange& exchange) { exchange.Answer(403, ""); });
  Igptd igptd({"--igpt_base_url=https://127.0.0.1:1/v1", "--igpt_proxy=127.0.0.1:" + std::to_string(proxy.port())});
  ListFromThreads(igptd, 300, [](const grpc::Status& status) {
    EXPECT_THAT(status, FailsWith(StatusCode::UNAVAILABLE, "NETWORK_ERROR"));
  });
  EXPECT_EQ(proxy.requests().size(), 300U);
}

TEST(ProxyFaultTest, Row55_NoProxyDoesNotLeadAround) {
  ScriptedHttpServer proxy;
  proxy.OnRequest([](Exchange& exchange) { exchange.Answer(403, ""); });
  for (const char* variable : {"NO_PROXY=*", "no_proxy=127.0.0.1"}) {
    Igptd igptd({"--igpt_base_url=https://127.0.0.1:1/v1", "--igpt_proxy=127.0.0.1:" + std::to_string(proxy.port())},
                {"IGPT_API_KEY=ak:test", variable});
    igpt::v1::ListRequest request;
    request.set_user("ada");
    EXPECT_THAT(igptd.List(request).status.error_message(), HasSubstr("the proxy")) << variable;
  }
}

}  // namespace
}  // namespace igpt::testing
