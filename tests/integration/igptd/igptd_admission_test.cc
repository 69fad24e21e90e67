// Calls that igptd has no room for: the error that callers get, and what makes room again.
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpcpp/create_channel.h"
#include "gtest/gtest.h"
#include "tests/integration/igptd/igptd_fixture.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using grpc::StatusCode;
using ::testing::Contains;
using ::testing::Key;
using ::testing::SizeIs;

void StallAfterTheFirstEvent(Exchange& exchange) {
  exchange.StartSse();
  exchange.SendSse(kRunStart);
  exchange.Stall();
}

void StallBeforeTheHead(Exchange& exchange) {
  exchange.Stall();
}

// Sends without end: more than a caller that doesn't read can receive.
void NeverStop(Exchange& exchange) {
  exchange.StartSse();
  while (exchange.SendSse(DeltaEvent(1, std::string(60'000, 'a')))) {
  }
}

void Yes(Exchange& exchange) {
  exchange.Answer(200, R"({"datasources":[]})");
}

v1::ListRequest ListFor(const std::string& user) {
  v1::ListRequest request;
  request.set_user(user);
  return request;
}

// A running stream that ends when the test wants it to.
class Running {
 public:
  explicit Running(Igptd& igptd) : reader_(igptd.recall->Ask(&context_, AskFor("ada", "?"))) {}
  ~Running() { Cancel(); }

  bool Read() {
    v1::AskResponse event;
    return reader_->Read(&event);
  }
  void Cancel() {
    if (std::exchange(over_, true)) return;
    context_.TryCancel();
    ReadAll(context_, *reader_);
  }

 private:
  bool over_ = false;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::AskResponse>> reader_;
};

// Asks until there is room.
grpc::Status ListWhenThereIsRoom(Igptd& igptd) {
  const absl::Time limit = absl::Now() + kWaitLimit;
  for (;;) {
    const grpc::Status status = igptd.List(ListFor("ada")).status;
    if (DetailsOf(status).info.reason() != "OVERLOADED" || absl::Now() > limit) return status;
    absl::SleepFor(absl::Milliseconds(1));
  }
}

TEST(IgptdAdmissionTest, WhatACallerIsTold) {
  Igptd igptd({"--max_in_flight=1"});
  igptd.upstream.OnRequest(StallAfterTheFirstEvent);
  Running running(igptd);
  ASSERT_TRUE(running.Read());

  const Stream shed = igptd.Ask(AskFor("ada", "?"));
  EXPECT_THAT(shed.status, FailsWith(StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"));
  const ErrorDetails details = DetailsOf(shed.status);
  EXPECT_EQ(details.info.metadata().at("limit"), "max_in_flight");
  ASSERT_TRUE(details.retry_info.has_value());
  const auto& delay = details.retry_info->retry_delay();
  ASSERT_THAT(shed.trailing, Contains(Key("grpc-retry-pushback-ms")));
  int64_t pushback_ms = 0;
  ASSERT_TRUE(absl::SimpleAtoi(shed.trailing.find("grpc-retry-pushback-ms")->second, &pushback_ms));
  EXPECT_GT(pushback_ms, 0);
  EXPECT_EQ(pushback_ms, delay.seconds() * 1000 + delay.nanos() / 1'000'000);
  EXPECT_THAT(shed.trailing, Contains(Key("x-request-id")));

  // All RPCs share the limit, and without room a request isn't even parsed.
  EXPECT_THAT(igptd.List(ListFor("ada")).status, FailsWith(StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"));
  EXPECT_THAT(igptd.Search({}).status, FailsWith(StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"));
  EXPECT_THAT(igptd.Authorize({}).status, FailsWith(StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"));
  EXPECT_THAT(igptd.Disconnect({}).status, FailsWith(StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"));
  EXPECT_THAT(CallRaw(igptd.channel, "/igpt.v1.RecallService/Search", "\xff\xff\xff").status,
              FailsWith(StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"));
  // The limit doesn't apply to the standard services.
  const auto health = grpc::health::v1::Health::NewStub(igptd.channel);
  grpc::ClientContext context;
  grpc::health::v1::HealthCheckResponse serving;
  EXPECT_THAT(health->Check(&context, {}, &serving), IsOkStatus());

  EXPECT_THAT(igptd.upstream.requests(), SizeIs(1));
  const Series series = igptd.Metrics();
  EXPECT_EQ(series.at("igptd_calls_in_flight"), 1);
  EXPECT_EQ(series.at(R"(igptd_calls_shed_total{limit="max_in_flight"})"), 6);
  EXPECT_EQ(series.at(R"(igptd_calls_shed_total{limit="max_in_flight_per_caller"})"), 0);
  running.Cancel();
  igptd.Stop();
  int sheds = 0;
  for (const auto& line : igptd.CallLines()) sheds += line.value("reason", "") == "OVERLOADED" ? 1 : 0;
  EXPECT_EQ(sheds, 6);
}

// A permit is held exactly as long as the request to iGPT runs, however it ends.
struct Request {
  const char* name;
  void (*handler)(Exchange&);
};
void PrintTo(const Request& request, std::ostream* out) {
  *out << request.name;
}

class PermitTest : public ::testing::TestWithParam<Request> {};

TEST_P(PermitTest, IsHeldWhileTheRequestToIgptRuns) {
  Igptd igptd({"--max_in_flight=2"});
  igptd.upstream.OnNextRequest(GetParam().handler);
  igptd.upstream.OnNextRequest(GetParam().handler);
  igptd.upstream.OnRequest(Yes);
  Running one(igptd);
  ASSERT_TRUE(igptd.upstream.AwaitRequests(1));
  Running another(igptd);
  ASSERT_TRUE(igptd.upstream.AwaitRequests(2));
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(igptd.List(ListFor("ada")).status, FailsWith(StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"));
  }
  EXPECT_FALSE(igptd.upstream.closed_at(1));
  EXPECT_FALSE(igptd.upstream.closed_at(2));
  EXPECT_THAT(igptd.upstream.requests(), SizeIs(2));

  one.Cancel();
  EXPECT_THAT(ListWhenThereIsRoom(igptd), IsOkStatus());
  EXPECT_TRUE(igptd.upstream.AwaitClosed(1));
  EXPECT_FALSE(igptd.upstream.closed_at(2));
  // There is room for one call, again and again.
  for (int i = 0; i < 20; ++i) EXPECT_THAT(igptd.List(ListFor("ada")).status, IsOkStatus());
  Running in_its_place(igptd);
  EXPECT_TRUE(igptd.upstream.AwaitRequests(2 + 1 + 20 + 1));
}

INSTANTIATE_TEST_SUITE_P(Requests, PermitTest,
                         ::testing::Values(Request{"BeforeTheHead", StallBeforeTheHead},
                                           Request{"MidStream", StallAfterTheFirstEvent},
                                           Request{"ThatNobodyReads", NeverStop}),
                         [](const auto& request) { return std::string(request.param.name); });

// A caller that makes one call after the other, each after the last answer, never has two at once.
TEST(IgptdAdmissionTest, ACallerThatKeepsToItsLimitIsNeverShed) {
  Igptd igptd({"--max_in_flight_per_caller=1"});
  igptd.upstream.OnRequest(Yes);
  for (int i = 0; i < 500; ++i) ASSERT_THAT(igptd.List(ListFor("ada")).status, IsOkStatus()) << i;
}

TEST(IgptdAdmissionTest, ACallersLimit) {
  Igptd igptd({"--max_in_flight_per_caller=1"});
  igptd.upstream.OnNextRequest(StallAfterTheFirstEvent);
  igptd.upstream.OnRequest(Yes);
  Running running(igptd);
  ASSERT_TRUE(running.Read());
  // On any of its connections.
  const auto stub = v1::DatasourcesService::NewStub(igptd.NewChannel());
  grpc::ClientContext context;
  v1::ListResponse response;
  const grpc::Status shed = stub->List(&context, ListFor("ada"), &response);
  EXPECT_THAT(shed, FailsWith(StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"));
  EXPECT_EQ(DetailsOf(shed).info.metadata().at("limit"), "max_in_flight_per_caller");
  running.Cancel();
  EXPECT_THAT(ListWhenThereIsRoom(igptd), IsOkStatus());
}

// gRPC's own retries obey the pushback; with the client's own backoff this test would time out.
TEST(IgptdAdmissionTest, AClientWithARetryPolicyComesBackWhenItIsTold) {
  Igptd igptd({"--max_in_flight=1"});
  igptd.upstream.OnNextRequest(StallAfterTheFirstEvent);
  igptd.upstream.OnRequest(Yes);
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetServiceConfigJSON(R"({"methodConfig":[{"name":[{"service":"igpt.v1.DatasourcesService"}],"retryPolicy":{
      "maxAttempts":5,"initialBackoff":"600s","maxBackoff":"600s","backoffMultiplier":1,
      "retryableStatusCodes":["RESOURCE_EXHAUSTED"]}}]})");
  const auto channel =
      grpc::CreateCustomChannel(igptd.process->address(), grpc::InsecureChannelCredentials(), arguments);
  const auto stub = v1::DatasourcesService::NewStub(channel);
  Running running(igptd);
  ASSERT_TRUE(running.Read());
  grpc::Status status;
  std::thread caller([&] {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + 2 * kWaitLimit));
    v1::ListResponse response;
    status = stub->List(&context, ListFor("ada"), &response);
  });
  EXPECT_TRUE(igptd.process->AwaitStderr("OVERLOADED"));
  running.Cancel();
  caller.join();
  EXPECT_THAT(status, IsOkStatus());
}

}  // namespace
}  // namespace igpt::testing
