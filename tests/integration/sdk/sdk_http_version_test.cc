// Which version of HTTP a client speaks, with every libcurl.
#include <memory>
#include <string>
#include <vector>

#include "tests/fault/relay.h"
#include "tests/integration/sdk/sdk_http2_fixture.h"

namespace igpt::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kOffersBoth[] = "\x02h2\x08http/1.1";
constexpr char kOffersHttp2[] = "\x02h2";
constexpr char kOffersHttp11[] = "\x08http/1.1";

// In front of a server without HTTP/2.
class HttpVersionTest : public ::testing::Test {
 protected:
  HttpVersionTest() : relay_(server_.port(), authority_.Issue()) { server_.OnRequest(Respond(200, "[]")); }

  Options OptionsFor(HttpVersion version) const {
    Options options = igpt::testing::OptionsFor(server_);
    options.base_url = relay_.url("/v1");
    options.ca_pem = authority_.Pem();
    options.http_version = version;
    return options;
  }

  ScriptedHttpServer server_;
  const Authority authority_ = Authority("trusted");
  Relay relay_;
};

TEST_F(HttpVersionTest, OffersWhatItIsToldTo) {
  ScriptedHttp2Server server;
  server.OnRequest(RespondHttp2("[]"));
  Options options = Http2Options(server);
  const std::string problem = Http2Problem();
  const absl::Status status = MakeClient(options)->recall().Search({}).status();
  EXPECT_EQ(server.offered(), problem.empty() ? kOffersBoth : kOffersHttp11) << problem;
  EXPECT_EQ(status.ok(), problem.empty()) << "this server has no HTTP/1.1";
  options.http_version = HttpVersion::k1_1;
  EXPECT_THAT(MakeClient(options)->recall().Search({}), Not(IsOk()));
  EXPECT_EQ(server.offered(), kOffersHttp11);
  if (!problem.empty()) return;
  options.http_version = HttpVersion::k2;
  EXPECT_THAT(MakeClient(options)->recall().Search({}), IsOk());
  EXPECT_EQ(server.offered(), kOffersHttp2);
}

TEST_F(HttpVersionTest, Http2AloneIsRefusedWhereItCannotBe) {
  Options options = OptionsFor(HttpVersion::k2);
  if (const std::string problem = Http2Problem(); !problem.empty()) {
    EXPECT_THAT(problem, HasSubstr("http_version: must be auto or 1.1: HTTP/2 needs libcurl "));
    EXPECT_EQ(Client::Create(options).status().message(), problem);
    return;
  }
  options.base_url = server_.url("/v1");
  EXPECT_THAT(std::string(Client::Create(options).status().message()),
              HasSubstr("http_version: must be auto or 1.1 with an http:// base_url"));
}

TEST_F(HttpVersionTest, AServerWithoutHttp2IsTakenAsItIs) {
  for (const HttpVersion version : {HttpVersion::kAuto, HttpVersion::k1_1}) {
    const std::unique_ptr<Client> client = MakeClient(OptionsFor(version));
    for (int i = 0; i < 3; ++i) EXPECT_THAT(client->recall().Search({}), IsOk());
  }
  EXPECT_EQ(relay_.connections(), 2);
}

// Nobody waits for another one's connection to turn out to be shared.
TEST_F(HttpVersionTest, AServerWithoutHttp2GetsAConnectionForEachCall) {
  constexpr size_t kCalls = 20;
  server_.OnRequest(Stall);
  const std::unique_ptr<Client> client = MakeClient(OptionsFor(HttpVersion::kAuto));
  std::vector<Outcome> outcomes(kCalls);
  for (Outcome& outcome : outcomes) client->recall().Search({}, {}, outcome.Callback());
  EXPECT_TRUE(server_.AwaitRequests(kCalls)) << server_.requests().size() << " requests came";
  client->Close();
  for (Outcome& outcome : outcomes) EXPECT_THAT(outcome.Await(), IsError(ErrorKind::kAborted));
}

TEST_F(HttpVersionTest, AServerWithoutHttp2FailsWhoSpeaksNothingElse) {
  if (const std::string problem = Http2Problem(); !problem.empty()) GTEST_SKIP() << problem;
  const std::unique_ptr<Client> client = MakeClient(OptionsFor(HttpVersion::k2));
  EXPECT_THAT(client->recall().Search({}), IsError(ErrorKind::kNetwork));
  EXPECT_THAT(server_.requests(), SizeIs(0));
}

}  // namespace
}  // namespace igpt::testing
