// Faults between igptd and iGPT before the first event: name resolution, connections, TLS, lost requests.
#include <atomic>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "tests/fault/fault_case.h"
#include "tests/support/scratch.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using ::testing::SizeIs;

class NetworkFaultTest : public ::testing::TestWithParam<Fault> {};

TEST_P(NetworkFaultTest, EndsAsTheCatalogueSays) {
  RunFault(GetParam());
}

#define TABLE(name, ...) INSTANTIATE_TEST_SUITE_P(name, NetworkFaultTest, ::testing::ValuesIn(__VA_ARGS__), NameOfParam)

const std::string kAnswer = R"({"output":"canary-answer-################"})";

// A request that never reached iGPT is retried for every method; one that perhaps did, only where that is harmless.
Fault Lost(int row, const std::string& name, size_t requests, size_t attempts) {
  return {.row = row,
          .name = name,
          .code = StatusCode::UNAVAILABLE,
          .reason = "NETWORK_ERROR",
          .requests = requests,
          .attempts = attempts,
          .within = absl::Seconds(20)};
}
Fault LostName(const std::string& names, const std::string& name) {
  Fault fault = Lost(15, name, 0, 3);
  fault.way = Way{.host = "localhost", .names = names};
  fault.message = "resolved";
  return fault;
}

TABLE(Names, InCalls(kAllCalls, {LostName("nxdomain", "NoSuchName")}));
TABLE(NameServers, std::vector<Fault>({
                       LostName("again", "NameServersDoNotAnswer"),
                       {.row = 15,
                        .name = "Flapping",
                        .way = Way{.host = "localhost", .names = "flap"},
                        .scripts = {{Send(Whole(200, kAnswer))}},
                        .events = 1},
                       {.row = 15,
                        .name = "NoAnswerInTime",
                        .way = Way{.host = "localhost", .names = "wait"},
                        .flags = {"--connect_timeout=200ms"},
                        .code = StatusCode::UNAVAILABLE,
                        .reason = "IGPT_TIMEOUT",
                        .facts = {{"timer", "connect"}},
                        .requests = 0,
                        .attempts = 3,
                        .within = absl::Seconds(10)},
                   }));

Fault AtUrl(const std::string& name, const std::string& url) {
  Fault fault = Lost(16, name, 0, 3);
  fault.flags = {"--igpt_base_url=" + url};
  return fault;
}
TABLE(Unreachable, InCalls({Call::kAsk, Call::kRun, Call::kList, Call::kDisconnect},
                           {AtUrl("NoRoute", "https://224.0.0.1/v1")}));  // TCP to a multicast address fails at once

class NobodyListensTest : public ::testing::TestWithParam<Call> {};

TEST_P(NobodyListensTest, Row16_Refused) {
  const ScriptedHttpServer nobody(ScriptedHttpServer::Mode::kRefuse);
  Fault fault = AtUrl("Refused", nobody.url("/v1"));
  fault.call = GetParam();
  RunFault(fault);
}
TEST_P(NobodyListensTest, Row16_NoHandshake) {
  const ScriptedHttpServer nobody(ScriptedHttpServer::Mode::kNoHandshake);
  Fault fault = AtUrl("NoHandshake", nobody.url("/v1"));
  fault.call = GetParam();
  fault.flags.emplace_back("--connect_timeout=200ms");
  fault.reason = "IGPT_TIMEOUT";
  fault.facts = {{"timer", "connect"}};
  RunFault(fault);
}
INSTANTIATE_TEST_SUITE_P(Calls, NobodyListensTest, ::testing::ValuesIn(kAllCalls));

// Row 17.

const Authority& Trusted() {
  static const Authority kAuthority("trusted");
  return kAuthority;
}
const Authority& Unknown() {
  static const Authority kAuthority("unknown");
  return kAuthority;
}
// Has the name of the trusted authority, but another key.
const Authority& Impostor() {
  static const Authority kAuthority("trusted");
  return kAuthority;
}

Fault BadCertificate(const std::string& name, const Identity& identity, const std::string& message) {
  Fault fault = Lost(17, name, 0, 1);
  fault.way = Way{.identity = identity, .trusted = Trusted().Pem()};
  fault.message = message;
  return fault;
}

TABLE(Certificates,
      InCalls({Call::kAsk, Call::kSearch, Call::kDisconnect},
              {
                  BadCertificate("Expired", Trusted().Issue({.begins = -absl::Hours(20), .ends = -absl::Hours(1)}),
                                 "has expired"),
                  BadCertificate("NotYetValid", Trusted().Issue({.begins = absl::Hours(10), .ends = absl::Hours(20)}),
                                 "not valid yet"),
                  BadCertificate("WrongAddress", Trusted().Issue({.host = "127.0.0.2"}), "another host"),
                  BadCertificate("WrongName", Trusted().Issue({.host = "expired.issuer.example"}), "another host"),
                  BadCertificate("UnknownAuthority", Unknown().Issue(), "unknown authority"),
                  BadCertificate("Impostor", Impostor().Issue(), "certificate"),
                  BadCertificate("SelfSigned", SelfSigned(), "unknown authority"),
              }));

Fault BrokenTls(const std::string& name, Greeting greeting) {
  Fault fault = Lost(17, name, 0, 3);
  fault.way = Way{.identity = Trusted().Issue(), .greeting = greeting, .trusted = Trusted().Pem()};
  return fault;
}
Fault StalledTls() {
  Fault fault = BrokenTls("HandshakeStalls", Greeting::kStall);
  fault.flags = {"--connect_timeout=200ms"};
  fault.reason = "IGPT_TIMEOUT";
  fault.facts = {{"timer", "connect"}};
  return fault;
}
TABLE(Handshakes, InCalls({Call::kAsk, Call::kDisconnect}, {
                                                               BrokenTls("HandshakeIsClosed", Greeting::kClose),
                                                               BrokenTls("HandshakeIsReset", Greeting::kReset),
                                                               BrokenTls("HandshakeIsGarbage", Greeting::kGarbage),
                                                               BrokenTls("HandshakeIsCut", Greeting::kCutHandshake),
                                                               StalledTls(),
                                                           }));

Fault OverTls(Fault fault, const std::string& host = "127.0.0.1") {
  fault.way = Way{.identity = Trusted().Issue({.host = host}), .trusted = Trusted().Pem(), .host = host};
  if (host != "127.0.0.1") fault.way->names = "ok";
  return fault;
}
TABLE(
    GoodTls,
    std::vector<Fault>({
        OverTls({.row = 17, .name = "AGoodCertificateIsTaken", .scripts = {{Send(Whole(200, kAnswer))}}, .events = 1}),
        OverTls(
            {.row = 17, .name = "AGoodNameIsTaken", .scripts = {{Send(SseWhole({kRunStart, kRunDone}))}}, .events = 2},
            "igpt.test"),
        OverTls({.row = 30,
                 .name = "CutOverTls",
                 .scripts = {{Send(SseHead() + SseChunk(kRunStart)), AwaitRead(), Fin()}},
                 .code = StatusCode::UNAVAILABLE,
                 .reason = "STREAM_TRUNCATED",
                 .facts = {{"events_delivered", "1"}},
                 .events = 1}),
        OverTls({.row = 30,
                 .name = "ResetOverTls",
                 .scripts = {{Send(SseHead() + SseChunk(kRunStart)), AwaitRead(), Rst()}},
                 .code = StatusCode::UNAVAILABLE,
                 .reason = "STREAM_TRUNCATED",
                 .facts = {{"events_delivered", "1"}},
                 .events = 1}),
    }));

// Connections that end after the request was sent, so igptd can't know whether it arrived.

Fault After(const std::string& name, const Script& script, size_t requests) {
  Fault fault = Lost(16, name, requests, 0);
  fault.scripts = {script};
  return fault;
}
std::vector<Fault> AfterTheRequest(size_t requests) {
  return {After("FinAfterTheRequest", {Fin()}, requests), After("RstAfterTheRequest", {Rst()}, requests),
          After("FinInTheHead", {Send("HTTP/1.1 200 \r\nContent-Ty"), Fin()}, requests),
          After("RstAfterTheHead", {Send(Head(200, {{"Content-Length", "9"}})), Rst()}, requests)};
}
TABLE(AfterTheRequest, InCalls(kRepeatable, AfterTheRequest(3)));
TABLE(AfterTheRequestOnceOnly, InCalls({Call::kDisconnect, Call::kAuthorize}, AfterTheRequest(1)));

Fault NotHttp(const std::string& name, const std::string& bytes) {
  return {.row = 29,
          .name = name,
          .scripts = {{Send(bytes), Fin()}},
          .code = StatusCode::INTERNAL,
          .reason = "IGPT_PROTOCOL"};
}
// Events that could be the whole stream, if the length were known.
std::string SseOfLength(const std::string& length) {
  return Head(200, {{"Content-Type", "text/event-stream"}, {"Content-Length", length}}) +
         SseEvent(DeltaEvent(1, kAnswerCanary));
}
TABLE(NotHttp, std::vector<Fault>({
                   NotHttp("NotHttp", "SSH-2.0-canary-answer-################\r\n"),
                   NotHttp("SwitchingProtocols",
                           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n{\"output\":\"no answer\"}"),
                   NotHttp("SwitchingProtocolsThenAHead",
                           "HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 \r\n\r\n{\"output\":\"no answer\"}"),
                   NotHttp("Http09", "<html>canary-answer-################</html>\n"),
                   NotHttp("HttpOfTheFuture", "HTTP/7.0 200 canary-answer-################\r\n\r\n"),
                   NotHttp("LengthThatIsNone", SseOfLength("many")),
                   NotHttp("LengthBelowZero", SseOfLength("-1")),
                   NotHttp("LengthBeyondAllNumbers", SseOfLength("99999999999999999999")),
                   NotHttp("TwoLengths", SseOfLength("5\r\nContent-Length: 50")),
                   NotHttp("HeaderOfAMegabyte", Head(200, {{"X", std::string(1 << 20, 'a')}})),
                   NotHttp("HeadOfAMegabyte", Head(200, HttpHeaders(10'000, {"X-Header", std::string(100, 'a')}))),
               }));

// Row 18. iGPT closes a pooled connection.

class StalePoolTest : public ::testing::Test {
 protected:
  // A first call leaves a connection on every loop; `on_reuse` is what happens to a second request on one of them.
  void Run(const Handler& on_reuse, Call call, size_t extra_requests) {
    const std::string token = TokenOf("stale");
    Igptd igptd({"--log_level=trace"}, {"IGPT_API_KEY=" + Fill(kKeyCanary, token)});
    igptd.upstream.OnRequest([&](Exchange& exchange) {
      int seen = 0;
      for (const HttpRequest& request : igptd.upstream.requests()) {
        seen += request.connection == exchange.request().connection ? 1 : 0;
      }
      if (seen > 1) return on_reuse(exchange);
      exchange.Answer(200, R"({"output":"Yes.","url":"u","datasources":[]})");
    });
    const Fault fault = {.name = "stale", .call = call, .events = call == Call::kAsk ? 1U : 0U};
    constexpr size_t kCalls = 8;  // more than there are loops: some of them find a connection
    for (size_t i = 0; i < kCalls; ++i) EXPECT_THAT(MakeCall(igptd, fault).status, IsOkStatus());
    const size_t requests = igptd.upstream.requests().size();
    if (extra_requests == 0) {
      EXPECT_EQ(requests, kCalls);
    } else {
      EXPECT_GT(requests, kCalls);
    }
    ExpectCounted(igptd, std::vector<std::string>(kCalls, MethodName(call) + " OK/"));
    igptd.Stop();
    ExpectLog(igptd, std::vector<std::string>(kCalls, "OK/"), token);
  }
};

TEST_F(StalePoolTest, Row18_ResetWhenTheNextRequestComes) {
  Run([](Exchange& exchange) { exchange.Reset(); }, Call::kAsk, 1);
}
TEST_F(StalePoolTest, Row18_ClosedWhenTheNextRequestComes) {
  Run([](Exchange& exchange) { exchange.Close(); }, Call::kSearch, 1);
}
// A request that must not be sent twice never goes out on a pooled connection, where it could be lost.
TEST_F(StalePoolTest, Row18_DisconnectTakesAFreshConnection) {
  Run([](Exchange& exchange) { exchange.Reset(); }, Call::kDisconnect, 0);
}
TEST_F(StalePoolTest, Row18_AuthorizeTakesAFreshConnection) {
  Run([](Exchange& exchange) { exchange.Reset(); }, Call::kAuthorize, 0);
}

// A pooled connection on which unexpected bytes arrived is not reused: they would pass for the next caller's answer.
TEST(PooledConnectionTest, Row18_AnAnswerThatNobodyAskedForGoesToNobody) {
  constexpr size_t kCalls = 8;  // more than there are loops: some of them find a connection
  const std::string answer = R"({"url":"https://connect.example/","output":"Yes.","results":[]})";
  const std::string intruder = Whole(200, R"({"results":[{"content":"of another user"}]})");
  Event answered[kCalls];
  Event sent[kCalls];
  std::atomic<size_t> requests = 0;
  Igptd igptd;
  igptd.upstream.OnRequest([&](Exchange& exchange) {
    const size_t at = requests++;
    exchange.Answer(200, answer);
    exchange.WaitFor(answered[at]);
    exchange.Send(intruder);
    sent[at].Set();
  });
  for (size_t i = 0; i < kCalls; ++i) {
    v1::SearchRequest request;
    request.set_user("ada");
    const auto found = igptd.Search(request);
    EXPECT_THAT(found.status, IsOkStatus());
    EXPECT_THAT(found.response.results(), SizeIs(0)) << "call " << i;
    ASSERT_EQ(requests, i + 1);
    answered[i].Set();
    ASSERT_TRUE(sent[i].Await());
  }
}

// Row 15: a look-up that hangs doesn't hold up calls that need none.
TEST(SlowResolverTest, Row15_OtherStreamsAreUnaffected) {
  const ScratchDirectory directory;
  const std::string names = directory.Write("names", "ok");
  Event go_on;
  ScriptedHttpServer upstream;
  upstream.OnRequest(RunUntil(go_on));
  std::vector<std::string> environment = ResolverEnvironment(names);
  environment.emplace_back("IGPT_API_KEY=ak:test");
  Igptd igptd({"--igpt_base_url=http://localhost:" + std::to_string(upstream.port()) + "/v1"}, environment);
  grpc::ClientContext running;
  const auto stream = igptd.recall->Ask(&running, AskFor("ada", "?"));
  v1::AskResponse event;
  ASSERT_TRUE(stream->Read(&event));

  // The next calls are spread over all loops. Those on a loop without an address wait for one.
  directory.Write("names", "wait");
  constexpr int kWaiting = 8;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<v1::AskResponse>>> waiting;
  for (int i = 0; i < kWaiting; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    waiting.push_back(igptd.recall->Ask(contexts.back().get(), AskFor("ada", "?")));
  }
  go_on.Set();
  EXPECT_TRUE(stream->Read(&event));
  EXPECT_TRUE(event.event().has_completed());
  EXPECT_FALSE(stream->Read(&event));
  EXPECT_THAT(stream->Finish(), IsOkStatus());

  directory.Write("names", "ok");
  for (int i = 0; i < kWaiting; ++i) {
    const auto at = static_cast<size_t>(i);
    EXPECT_THAT(ReadAll(*contexts[at], *waiting[at]).status, IsOkStatus());
  }
  EXPECT_THAT(upstream.requests(), SizeIs(kWaiting + 1));
}

}  // namespace
}  // namespace igpt::testing
