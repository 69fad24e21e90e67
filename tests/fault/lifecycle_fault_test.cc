// Outages of iGPT, and shutdowns of igptd.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "tests/fault/fault_case.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using ::testing::Optional;

void Yes(Exchange& exchange) {
  exchange.Answer(200, R"({"datasources":[]})");
}

// Row 37 on a small scale: an outage too short for requests to be held back (throttle_fault_test has longer ones).

// How many retries each loop may make beyond a fifth of its calls, and the maximum of loops.
constexpr size_t kBurst = 10;
size_t MaxRetries(size_t calls) {
  return calls / 5 + kBurst * std::max(1U, std::thread::hardware_concurrency());
}

// Makes this many calls from several threads, and returns how many were served.
int MakeCalls(Igptd& igptd, int calls, StatusCode otherwise) {
  std::atomic<int> served = 0;
  ListFromThreads(igptd, calls, [&](const grpc::Status& status) {
    if (status.ok()) {
      ++served;
    } else {
      EXPECT_EQ(status.error_code(), otherwise) << status.error_message();
    }
  });
  return served;
}

void ExpectRetriesAreBounded(const Handler& outage) {
  constexpr int kCalls = 60;
  Igptd igptd({"--max_retries=5"});
  igptd.upstream.OnRequest(outage);
  EXPECT_EQ(MakeCalls(igptd, kCalls, StatusCode::UNAVAILABLE), 0);
  const size_t in_outage = igptd.upstream.requests().size();
  EXPECT_GT(in_outage, size_t{kCalls});
  EXPECT_LE(in_outage, kCalls + MaxRetries(kCalls));

  igptd.upstream.OnRequest(Yes);
  EXPECT_EQ(MakeCalls(igptd, kCalls, StatusCode::OK), kCalls);
  EXPECT_EQ(igptd.upstream.requests().size() - in_outage, size_t{kCalls});  // no spike: each call is one request
}

TEST(OutageTest, Row37_Http503) {
  ExpectRetriesAreBounded([](Exchange& exchange) { exchange.Answer(503, ""); });
}
TEST(OutageTest, Row37_EveryConnectionBreaks) {
  ExpectRetriesAreBounded([](Exchange& exchange) { exchange.Reset(); });
}

TEST(OutageTest, Row37_TheServerDiesAndComesBack) {
  constexpr int kCalls = 20;
  ScriptedHttpServer upstream;
  upstream.OnRequest(Yes);
  Relay relay(upstream.port());
  Igptd igptd({"--igpt_base_url=" + relay.url("/v1")});
  EXPECT_EQ(MakeCalls(igptd, kCalls, StatusCode::OK), kCalls);
  for (int i = 0; i < 3; ++i) {
    relay.Die();
    EXPECT_EQ(MakeCalls(igptd, kCalls, StatusCode::UNAVAILABLE), 0);
    relay.ComeBack();
    EXPECT_EQ(MakeCalls(igptd, kCalls, StatusCode::OK), kCalls);
  }
  EXPECT_EQ(upstream.requests().size(), size_t{4} * kCalls);
}

TEST(OutageTest, Row37_AStreamThatTheOutageCutsIsNotBegunAgain) {
  ScriptedHttpServer upstream;
  upstream.OnRequest([](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(kRunStart);
    exchange.Stall();
  });
  Relay relay(upstream.port());
  Igptd igptd({"--igpt_base_url=" + relay.url("/v1")});
  grpc::ClientContext context;
  const auto reader = igptd.recall->Ask(&context, AskFor("ada", "?"));
  v1::AskResponse event;
  ASSERT_TRUE(reader->Read(&event));
  relay.Die();
  relay.ComeBack();
  EXPECT_THAT(ReadAll(context, *reader).status, FailsWith(StatusCode::UNAVAILABLE, "STREAM_TRUNCATED"));
  EXPECT_EQ(upstream.requests().size(), 1U);
}

// Rows 47 and 48.

// A call that is running when the signal comes. `reads`: whether its caller reads.
struct Running {
  const char* name;
  Call call;
  Script script;
  bool reads;
};
void PrintTo(const Running& running, std::ostream* out) {
  *out << running.name;
}

class EndTest : public ::testing::TestWithParam<Running> {
 protected:
  // Starts igptd and the call, sends the signals, and returns how the call ended.
  grpc::Status End(const std::vector<std::string>& flags, const std::vector<int>& signals) {
    const Running& running = GetParam();
    std::vector<std::string> all = flags;
    all.emplace_back("--max_answer_bytes=1GiB");
    igptd_ = std::make_unique<Igptd>(all);
    igptd_->upstream.OnRequest(
        [&](Exchange& exchange) { Play(running.script, {.token = "", .elsewhere = ""}, exchange); });
    grpc::Status status;
    std::thread caller([&] {
      if (running.call == Call::kAsk && !running.reads) {
        grpc::ClientContext context;
        const auto reader = igptd_->recall->Ask(&context, AskFor("ada", "?"));
        EXPECT_TRUE(gone_.Await());
        status = ReadAll(context, *reader).status;
      } else {
        status = MakeCall(*igptd_, {.name = "end", .call = running.call}).status;
      }
    });
    EXPECT_TRUE(igptd_->upstream.AwaitRequests(1));
    for (size_t i = 0; i < signals.size(); ++i) {
      EXPECT_TRUE(i == 0 || igptd_->process->AwaitStderr("draining"));
      igptd_->process->Signal(signals[i]);
    }
    exit_code_ = igptd_->process->AwaitExit();
    gone_.Set();
    caller.join();
    EXPECT_TRUE(igptd_->upstream.AwaitClosed(1));
    return status;
  }

  Event gone_;
  std::unique_ptr<Igptd> igptd_;
  std::optional<int> exit_code_;
};

TEST_P(EndTest, Row47_SigtermEndsWhatTheDrainLeaves) {
  const grpc::Status status = End({"--drain_timeout=300ms"}, {SIGTERM});
  EXPECT_THAT(exit_code_, Optional(0));
  EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE);
  ExpectLog(*igptd_, {"UNAVAILABLE/SHUTTING_DOWN"}, "no canary");
}

TEST_P(EndTest, Row47_ASecondSigtermEndsItAtOnce) {
  const grpc::Status status = End({"--drain_timeout=10m"}, {SIGTERM, SIGTERM});
  EXPECT_THAT(exit_code_, Optional(0));
  EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE);
  ExpectLog(*igptd_, {"UNAVAILABLE/SHUTTING_DOWN"}, "no canary");
}

TEST_P(EndTest, Row48_SigkillIsUnavailableAndNeverOk) {
  const grpc::Status status = End({}, {SIGKILL});
  EXPECT_THAT(exit_code_, Optional(128 + SIGKILL));
  EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE);
}

INSTANTIATE_TEST_SUITE_P(
    Ends, EndTest,
    ::testing::Values(Running{"AskBeforeTheHead", Call::kAsk, {StallForGood()}, true},
                      Running{
                          "AskMidStream", Call::kAsk, {Send(SseHead() + SseChunk(kRunStart)), StallForGood()}, true},
                      Running{"AskAtFullSpeed",
                              Call::kAsk,
                              {Send(SseHead() + SseChunk(kRunStart)), Forever(SseChunk(DeltaEvent(1, "a")))},
                              true},
                      Running{"AskThatNobodyReads",
                              Call::kAsk,
                              {Send(SseHead()), Forever(SseChunk(DeltaEvent(1, std::string(60'000, 'a'))))},
                              false},
                      Running{"AskBetweenAttempts", Call::kAsk, {Send(Whole(503, "", {{"Retry-After", "30"}}))}, true},
                      Running{"Search", Call::kSearch, {StallForGood()}, true},
                      Running{"Disconnect", Call::kDisconnect, {StallForGood()}, true}),
    [](const auto& running) { return std::string(running.param.name); });

TEST(DrainTest, Row47_AStreamThatEndsInTimeIsServed) {
  Event go_on;
  Igptd igptd({"--drain_timeout=10m"});
  igptd.upstream.OnRequest(RunUntil(go_on));
  grpc::ClientContext context;
  const auto reader = igptd.recall->Ask(&context, AskFor("ada", "?"));
  v1::AskResponse event;
  ASSERT_TRUE(reader->Read(&event));
  igptd.process->Signal(SIGTERM);
  ASSERT_TRUE(igptd.process->AwaitStderr("draining"));
  go_on.Set();
  EXPECT_THAT(ReadAll(context, *reader).status, IsOkStatus());
  EXPECT_THAT(igptd.process->AwaitExit(), Optional(0));
  ExpectLog(igptd, {"OK/"}, "no canary");
}

}  // namespace
}  // namespace igpt::testing
