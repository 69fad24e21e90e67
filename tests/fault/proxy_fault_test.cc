// A proxy between igptd and iGPT: what iGPT says through it, and what it refuses itself.
#include <string>
#include <vector>

#include "tests/fault/fault_case.h"

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
