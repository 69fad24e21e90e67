// Shutdown: SIGTERM lets running calls finish, within limits; after SIGKILL no call seems to have ended properly.
#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "tests/integration/igptd/igptd_fixture.h"
#include "tests/support/await.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using grpc::StatusCode;
using ::testing::Contains;
using ::testing::Optional;
using ::testing::Pair;
using ::testing::SizeIs;

// A stream that has sent its first event and continues when the test wants it to.
class RunningStream {
 public:
  RunningStream(Igptd& igptd, const Event& go_on) {
    igptd.upstream.OnNextRequest(RunUntil(go_on));
    reader_ = igptd.recall->Ask(&context_, AskFor("ada", "?"));
    v1::AskResponse event;
    EXPECT_TRUE(reader_->Read(&event));
    EXPECT_TRUE(event.event().has_started());
  }

  Stream Rest() { return ReadAll(context_, *reader_); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::AskResponse>> reader_;
};

grpc::Status ListOn(const std::shared_ptr<grpc::Channel>& channel, const std::string& user = "") {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kWaitLimit));
  v1::ListRequest request;
  request.set_user(user);
  v1::ListResponse response;
  return v1::DatasourcesService::NewStub(channel)->List(&context, request, &response);
}

TEST(IgptdDrainTest, ARunningStreamFinishesAndNewConnectionsAreRefused) {
  Event go_on;
  Igptd igptd({"--drain_delay=0s", "--drain_timeout=5m"});
  RunningStream stream(igptd, go_on);
  igptd.process->Signal(SIGTERM);
  ASSERT_TRUE(igptd.process->AwaitStderr("draining"));
  // The listener is closed a moment after the line was logged.
  EXPECT_TRUE(AwaitTrue([&] { return ListOn(igptd.NewChannel()).error_code() == StatusCode::UNAVAILABLE; }));

  go_on.Set();
  const Stream rest = stream.Rest();
  EXPECT_THAT(rest.status, IsOkStatus());
  ASSERT_THAT(rest.events, SizeIs(1));
  EXPECT_EQ(rest.events[0].completed().text(), "Yes.");
  // Long before the five minutes are over, although the caller's connection is still open.
  EXPECT_THAT(igptd.process->AwaitExit(), Optional(0));
}

// Callers keep calling while the drain begins. igptd answers every call that reaches it; the others get no connection,
// which every client's retry policy handles.
TEST(IgptdDrainTest, CallsThatRaceTheDrainAreServedOrRefused) {
  constexpr int kCallers = 16;
  Igptd igptd({"--drain_delay=0s", "--drain_timeout=5m"});
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"datasources":[]})"); });
  std::vector<grpc::Status> last(kCallers);
  std::atomic<int> served = 0;
  std::vector<std::thread> callers;
  for (grpc::Status& status : last) {
    callers.emplace_back([&status, &served, channel = igptd.NewChannel()] {
      do {
        status = ListOn(channel, "ada");
        if (status.ok()) ++served;
      } while (status.ok());
    });
  }
  EXPECT_TRUE(AwaitTrue([&] { return served >= 10 * kCallers; }));
  igptd.process->Signal(SIGTERM);
  for (std::thread& caller : callers) caller.join();
  for (const grpc::Status& status : last)
    EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE) << status.error_message();
  EXPECT_THAT(igptd.process->AwaitExit(), Optional(0));
}

TEST(IgptdDrainTest, NothingToWaitFor) {
  Igptd igptd({"--drain_timeout=5m"});
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"datasources":[]})"); });
  v1::ListRequest request;
  request.set_user("ada");
  EXPECT_THAT(igptd.List(request).status, IsOkStatus());
  igptd.process->Signal(SIGTERM);
  EXPECT_THAT(igptd.process->AwaitExit(), Optional(0));
}

// A health watch is a stream that stays open as long as igptd runs.
TEST(IgptdDrainTest, AHealthWatchIsNotWaitedFor) {
  Igptd igptd({"--drain_timeout=5m"});
  grpc::ClientContext context;
  const auto watch = grpc::health::v1::Health::NewStub(igptd.channel)->Watch(&context, {});
  grpc::health::v1::HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  igptd.process->Signal(SIGTERM);
  while (watch->Read(&response)) EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::NOT_SERVING);
  EXPECT_THAT(watch->Finish(), FailsWith(StatusCode::UNAVAILABLE, "SHUTTING_DOWN"));
  EXPECT_THAT(igptd.process->AwaitExit(), Optional(0));
}

TEST(IgptdDrainTest, UntilTheDelayIsOverCallsAreServedAndHealthSaysNo) {
  Igptd igptd({"--drain_delay=5m"});
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"datasources":[]})"); });
  igptd.process->Signal(SIGTERM);
  ASSERT_TRUE(igptd.process->AwaitStderr("draining"));
  const auto stub = grpc::health::v1::Health::NewStub(igptd.channel);
  for (const char* service : {"", "igpt.v1.RecallService"}) {
    grpc::health::v1::HealthCheckRequest request;
    grpc::health::v1::HealthCheckResponse response;
    request.set_service(service);
    const absl::Time limit = absl::Now() + kWaitLimit;
    do {
      grpc::ClientContext context;
      EXPECT_THAT(stub->Check(&context, request, &response), IsOkStatus());
    } while (response.status() == grpc::health::v1::HealthCheckResponse::SERVING && absl::Now() < limit);
    EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::NOT_SERVING) << service;
  }
  v1::ListRequest request;
  request.set_user("ada");
  EXPECT_THAT(igptd.List(request).status, IsOkStatus());
  igptd.process->Signal(SIGTERM);  // ends the waiting
  EXPECT_THAT(igptd.process->AwaitExit(), Optional(0));
}

TEST(IgptdDrainTest, AStreamThatOutlivesTheDrainIsEnded) {
  Event never;
  Igptd igptd({"--drain_timeout=200ms"});
  RunningStream stream(igptd, never);
  igptd.process->Signal(SIGTERM);
  const Stream rest = stream.Rest();
  EXPECT_THAT(rest.status, FailsWith(StatusCode::UNAVAILABLE, "SHUTTING_DOWN"));
  EXPECT_THAT(DetailsOf(rest.status).info.metadata(), Contains(Pair("events_delivered", "1")));
  EXPECT_TRUE(igptd.upstream.AwaitClosed(1));
  EXPECT_THAT(igptd.process->AwaitExit(), Optional(0));
  ASSERT_THAT(igptd.CallLines(), SizeIs(1));
  EXPECT_EQ(igptd.CallLines()[0].value("reason", ""), "SHUTTING_DOWN");
}

TEST(IgptdDrainTest, ASecondSignalEndsItAtOnce) {
  Event never;
  Igptd igptd({"--drain_timeout=5m"});
  RunningStream stream(igptd, never);
  igptd.process->Signal(SIGTERM);
  ASSERT_TRUE(igptd.process->AwaitStderr("draining"));
  igptd.process->Signal(SIGTERM);
  EXPECT_THAT(stream.Rest().status, FailsWith(StatusCode::UNAVAILABLE, "SHUTTING_DOWN"));
  EXPECT_THAT(igptd.process->AwaitExit(), Optional(0));
}

// A reader that stopped can't hold the drain up either.
TEST(IgptdDrainTest, AStalledReaderIsEnded) {
  Igptd igptd({"--drain_timeout=200ms", "--max_answer_bytes=1GiB"});
  Event held_back;
  igptd.upstream.OnRequest([&](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendUntilBlocked(Chunk(SseEvent(DeltaEvent(1, std::string(60'000, 'a')))), 64 << 20);
    held_back.Set();
    exchange.Stall();
  });
  grpc::ClientContext context;
  const auto reader = igptd.recall->Ask(&context, AskFor("ada", "?"));
  ASSERT_TRUE(held_back.Await());
  igptd.process->Signal(SIGTERM);
  EXPECT_TRUE(igptd.upstream.AwaitClosed(1));
  EXPECT_EQ(ReadAll(context, *reader).status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_THAT(igptd.process->AwaitExit(), Optional(0));
  ASSERT_THAT(igptd.CallLines(), SizeIs(1));
  EXPECT_EQ(igptd.CallLines()[0].value("reason", ""), "SHUTTING_DOWN");
}

TEST(IgptdDrainTest, SigkillIsNeverOk) {
  Event never;
  Igptd igptd;
  RunningStream stream(igptd, never);
  igptd.process->Signal(SIGKILL);
  EXPECT_THAT(igptd.process->AwaitExit(), Optional(128 + SIGKILL));
  const Stream rest = stream.Rest();
  EXPECT_EQ(rest.status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_THAT(rest.events, SizeIs(0));
  EXPECT_TRUE(igptd.upstream.AwaitClosed(1));
}

}  // namespace
}  // namespace igpt::testing
