// Callers that go away or stop reading, at every stage of a call: the request to iGPT ends too.
#include <fstream>
#include <functional>
#include <iomanip>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "tests/fault/fault_case.h"
#include "tests/support/await.h"
#include "tests/support/scratch.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using ::testing::HasSubstr;

// The target is 50 ms, plus a margin for busy machines.
constexpr absl::Duration kAtOnce = absl::Milliseconds(500);

// How many sockets of this machine are connected or connecting to this port of 127.0.0.1.
int SocketsTo(int port) {
  std::ifstream table("/proc/net/tcp");
  std::ostringstream remote;
  remote << "0100007F:" << std::uppercase << std::hex << std::setw(4) << std::setfill('0') << port;
  int count = 0;
  for (std::string line; std::getline(table, line);) {
    std::istringstream words(line);
    std::string number, local, to, state;
    words >> number >> local >> to >> state;
    if (to == remote.str() && (state == "01" || state == "02")) ++count;
  }
  return count;
}

// Makes a call, reads `events` events, and cancels as soon as `reached`. Then `gone` must soon be true.
void CancelWhen(Igptd& igptd, size_t events, const std::function<bool()>& reached, const std::function<bool()>& gone) {
  grpc::ClientContext context;
  const auto reader = igptd.recall->Ask(&context, AskFor("ada", "?"));
  v1::AskResponse event;
  for (size_t i = 0; i < events; ++i) ASSERT_TRUE(reader->Read(&event));
  ASSERT_TRUE(AwaitTrue(reached));
  const absl::Time start = absl::Now();
  context.TryCancel();
  EXPECT_TRUE(AwaitTrue(gone));
  EXPECT_LE(absl::Now() - start, kAtOnce);
  EXPECT_EQ(ReadAll(context, *reader).status.error_code(), StatusCode::CANCELLED);
  ExpectCounted(igptd, {"Ask CANCELLED/REQUEST_ABORTED"});
  igptd.Stop();
  ExpectLog(igptd, {"CANCELLED/REQUEST_ABORTED"}, "no canary");
}

// Once a call has its log line, it has ended completely.
std::function<bool()> HasEnded(Igptd& igptd) {
  return [&igptd] { return igptd.process->Stderr().find("REQUEST_ABORTED") != std::string::npos; };
}

TEST(CancelTest, Row9_BeforeItIsSent) {
  Igptd igptd;
  grpc::ClientContext context;
  context.TryCancel();
  const auto reader = igptd.recall->Ask(&context, AskFor("ada", "?"));
  EXPECT_EQ(ReadAll(context, *reader).status.error_code(), StatusCode::CANCELLED);
  igptd.Stop();
  EXPECT_EQ(igptd.upstream.connections(), 0);
}

TEST(CancelTest, Row10_InTheLookUp) {
  const ScratchDirectory directory;
  const std::string names = directory.Write("names", "wait");
  ScriptedHttpServer upstream;
  std::vector<std::string> environment = ResolverEnvironment(names);
  environment.emplace_back("IGPT_API_KEY=ak:test");
  Igptd igptd({"--igpt_base_url=http://localhost:" + std::to_string(upstream.port()) + "/v1"}, environment);
  const absl::Time start = absl::Now();
  CancelWhen(
      igptd, 0, [&] { return absl::Now() - start > absl::Milliseconds(100); }, HasEnded(igptd));
  EXPECT_EQ(upstream.connections(), 0);
  directory.Write("names", "ok");
}

TEST(CancelTest, Row10_WhileConnecting) {
  const ScriptedHttpServer upstream(ScriptedHttpServer::Mode::kNoHandshake);
  Igptd igptd({"--igpt_base_url=" + upstream.url("/v1")});
  const int before = SocketsTo(upstream.port());
  CancelWhen(
      igptd, 0, [&] { return SocketsTo(upstream.port()) > before; },
      [&] { return SocketsTo(upstream.port()) == before; });
}

TEST(CancelTest, Row10_InTheTlsHandshake) {
  const ScriptedHttpServer upstream;
  Relay relay(upstream.port(), SelfSigned(), Greeting::kStall);
  Igptd igptd({"--igpt_base_url=" + relay.url("/v1")});
  CancelWhen(
      igptd, 0, [&] { return relay.connections() == 1; }, [&] { return SocketsTo(relay.port()) == 0; });
}

// Cancels once the upstream has sent `script`.
void CancelAfter(const Script& script, size_t events) {
  Event sent;
  Igptd igptd;
  igptd.upstream.OnRequest([&](Exchange& exchange) {
    Play(script, {.token = "", .elsewhere = ""}, exchange);
    sent.Set();
    exchange.Stall();
  });
  CancelWhen(
      igptd, events, [&] { return sent.IsSet(); }, [&] { return igptd.upstream.closed_at(1).has_value(); });
}

TEST(CancelTest, Row10_WaitingForTheHead) {
  CancelAfter({}, 0);
}
TEST(CancelTest, Row10_WithinTheHead) {
  CancelAfter({Send("HTTP/1.1 200 \r\nContent-Ty")}, 0);
}
TEST(CancelTest, Row10_AfterTheHead) {
  CancelAfter({Send(SseHead())}, 0);
}
TEST(CancelTest, Row10_MidStream) {
  CancelAfter({Send(SseHead() + SseChunk(kRunStart))}, 1);
}
TEST(CancelTest, Row10_WithinAnEvent) {
  CancelAfter({Send(SseHead() + SseChunk(kRunStart) + "99\r\ndata: {\"del")}, 1);
}

TEST(CancelTest, Row10_BetweenTwoAttempts) {
  Igptd igptd;
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(503, "", {{"Retry-After", "60"}}); });
  CancelWhen(
      igptd, 0, [&] { return !igptd.upstream.requests().empty(); }, HasEnded(igptd));
  EXPECT_EQ(igptd.upstream.requests().size(), 1U);
}

const std::string kLargeEvent = DeltaEvent(1, std::string(60'000, 'a'));

TEST(CancelTest, Row10_WhilePaused) {
  Event held_back;
  Igptd igptd({"--max_answer_bytes=1GiB"});
  igptd.upstream.OnRequest([&](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendUntilBlocked(SseChunk(kLargeEvent), 64 << 20);
    held_back.Set();
    exchange.Stall();
  });
  grpc::ClientContext context;
  const auto reader = igptd.recall->Ask(&context, AskFor("ada", "?"));
  v1::AskResponse event;
  ASSERT_TRUE(reader->Read(&event));
  ASSERT_TRUE(held_back.Await());
  const absl::Time start = absl::Now();
  context.TryCancel();
  EXPECT_TRUE(igptd.upstream.AwaitClosed(1));
  EXPECT_LE(absl::Now() - start, kAtOnce);
  reader->Finish();
  ExpectCounted(igptd, {"Ask CANCELLED/REQUEST_ABORTED"});
  igptd.Stop();
  ExpectLog(igptd, {"CANCELLED/REQUEST_ABORTED"}, "no canary");
}

// The cancel races with the end of the call: whichever wins, the call ends once.
TEST(CancelTest, Row10_RacingFinish) {
  constexpr int kCalls = 300;
  Igptd igptd;
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Send(SseWhole({kRunStart, kRunDone})); });
  int cancelled = 0;
  for (int i = 0; i < kCalls; ++i) {
    grpc::ClientContext context;
    const auto reader = igptd.recall->Ask(&context, AskFor("ada", "?"));
    v1::AskResponse event;
    EXPECT_TRUE(reader->Read(&event));
    std::thread canceller([&] { context.TryCancel(); });
    const StatusCode code = ReadAll(context, *reader).status.error_code();
    canceller.join();
    EXPECT_TRUE(code == StatusCode::OK || code == StatusCode::CANCELLED) << code;
    cancelled += code == StatusCode::CANCELLED ? 1 : 0;
  }
  EXPECT_GT(cancelled, 0);
  igptd.Stop();
  EXPECT_EQ(igptd.CallLines().size(), size_t{kCalls});
}

// Row 8.
TEST(SlowReaderTest, Row8_TheUpstreamIsPausedAndTheReaderGivenUp) {
  constexpr size_t kMuch = 64 << 20;
  Event held_back;
  size_t sent = 0;
  Igptd igptd({"--max_answer_bytes=1GiB", "--stalled_reader_timeout=2s", "--idle_timeout=1s"});
  igptd.upstream.OnRequest([&](Exchange& exchange) {
    exchange.StartSse();
    sent = exchange.SendUntilBlocked(SseChunk(kLargeEvent), kMuch);
    held_back.Set();
    exchange.Stall();
  });
  grpc::ClientContext context;
  const auto reader = igptd.recall->Ask(&context, AskFor("ada", "?"));
  v1::AskResponse event;
  ASSERT_TRUE(reader->Read(&event));  // and no more
  ASSERT_TRUE(held_back.Await());
  EXPECT_LT(sent, kMuch / 4);
  EXPECT_TRUE(igptd.upstream.AwaitClosed(1));
  const Stream rest = ReadAll(context, *reader);
  EXPECT_EQ(rest.status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(rest.status.error_message(), HasSubstr("not read for too long"));
  ExpectCounted(igptd, {"Ask RESOURCE_EXHAUSTED/SLOW_CONSUMER"});
  igptd.Stop();
  ExpectLog(igptd, {"RESOURCE_EXHAUSTED/SLOW_CONSUMER"}, "no canary");
}

TEST(SlowReaderTest, Row8_AReaderThatGoesOnInTimeGetsItAll) {
  constexpr int kEvents = 200;
  Event held_back;
  Igptd igptd({"--max_answer_bytes=1GiB"});
  igptd.upstream.OnRequest([&](Exchange& exchange) {
    exchange.StartSse();
    const std::string piece = SseChunk(kLargeEvent);
    const size_t limit = kEvents * piece.size();
    const size_t sent = exchange.SendUntilBlocked(piece, limit);
    EXPECT_LT(sent, limit);
    held_back.Set();
    // The next Send first completes the piece that was cut.
    for (size_t i = (sent + piece.size() - 1) / piece.size(); i < kEvents; ++i) exchange.Send(piece);
    exchange.SendSse(kRunDone);
    exchange.EndChunked();
  });
  grpc::ClientContext context;
  const auto reader = igptd.recall->Ask(&context, AskFor("ada", "?"));
  v1::AskResponse event;
  ASSERT_TRUE(reader->Read(&event));
  ASSERT_TRUE(held_back.Await());
  const Stream rest = ReadAll(context, *reader);
  EXPECT_THAT(rest.status, IsOkStatus());
  EXPECT_EQ(rest.events.size(), size_t{kEvents});
}

}  // namespace
}  // namespace igpt::testing
