// Thousands of streams of the services that anyone may call without a token: health watches and reflection. Only so
// many are let in, other callers don't notice them, and health checks are always answered.
#include <algorithm>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "service/edge/caller_connection.h"
#include "service/limits/admission.h"
#include "tests/hostile/attack.h"
#include "tests/hostile/bounds.h"
#include "tests/support/await.h"
#include "tests/support/http2_client.h"

namespace igpt::testing {
namespace {

using grpc::StatusCode;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Optional;

constexpr char kCheck[] = "/grpc.health.v1.Health/Check";
constexpr char kWatch[] = "/grpc.health.v1.Health/Watch";
constexpr char kReflection[] = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
constexpr char kOldReflection[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

// As many streams as a connection may have, but for a few; and how many are opened at once.
constexpr size_t kMany = igptd::kMaxOpenStreams - 100;
constexpr size_t kBatch = 100;

// How many of them are let in: all tests call from one address, which is one caller.
constexpr size_t kLetIn = igptd::kStandardStreams.max_in_flight_per_caller;

// A watch's first answer: a frame's head and a status.
constexpr size_t kStatusBytes = 7;

// Answers don't have to wait for the client.
Http2Client::Behaviour Reader() {
  return {.connection_window = 16 << 20};
}

// Opens `count` streams of a method, with `request` on each, if there is one. Not faster than igptd refuses them: this
// is about open streams, not about a flood.
void OpenMany(Http2Client& client, const char* method, size_t count,
              const std::optional<std::string>& request = std::nullopt) {
  const size_t ended = client.ends().size();
  for (size_t opened = 1; opened <= count; ++opened) {
    const uint32_t stream = client.Open(method);
    if (request.has_value()) client.Message(stream, *request);
    if (opened % kBatch != 0 && opened != count) continue;
    ASSERT_TRUE(client.Flush());
    ASSERT_TRUE(client.Await([&] { return client.ends().size() - ended + kLetIn + kBatch >= opened; }));
  }
}

void OpenWatches(Http2Client& client, size_t count, const std::string& service = "") {
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(service);
  OpenMany(client, kWatch, count, request.SerializeAsString());
}

// Waits until this many streams have ended, and expects that each was refused and told what to do.
void AwaitRefusals(Http2Client& client, size_t count) {
  ASSERT_TRUE(client.Await([&] { return client.ends().size() >= count; })) << client.ends().size();
  ASSERT_EQ(client.ends().size(), count);
  for (const auto& [stream, end] : client.ends()) {
    ASSERT_THAT(end.grpc_status, Optional(int{StatusCode::RESOURCE_EXHAUSTED}));
    ASSERT_THAT(end.trailers, HasSubstr("End the streams that you don't need"));
  }
}

// Expects that each stream that has ended was told that igptd shuts down.
void ExpectShuttingDown(const Http2Client& client) {
  for (const auto& [stream, end] : client.ends()) {
    ASSERT_THAT(end.grpc_status, Optional(int{StatusCode::UNAVAILABLE}));
    ASSERT_THAT(end.trailers, HasSubstr("shutting down"));
  }
}

bool AwaitStreams(Igptd& igptd, size_t count) {
  return AwaitTrue([&] { return igptd.Metrics().at("igptd_standard_streams") == static_cast<double>(count); });
}

// Whatever others do.
void ExpectHealthy(Igptd& igptd) {
  EXPECT_EQ(igptd.Get("/healthz").status, 200);
  const auto stub = grpc::health::v1::Health::NewStub(igptd.NewChannel());
  grpc::ClientContext context;
  grpc::health::v1::HealthCheckResponse response;
  EXPECT_THAT(stub->Check(&context, {}, &response), IsOkStatus());
  EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING);
}

TEST(IgptdStandardStreamsTest, ManyWatchesOnAConnectionThatEnds) {
  Igptd igptd({"--max_in_flight=100"});
  igptd.upstream.OnRequest(AnswerAtOnce);
  const AttackResult result = Attack(igptd, [&] {
    {
      Http2Client client(igptd.process->address(), Reader());
      OpenWatches(client, kMany);
      AwaitRefusals(client, kMany - kLetIn);
      EXPECT_TRUE(client.Await([&] { return client.data_bytes() == kStatusBytes * kLetIn; }));
      EXPECT_TRUE(AwaitStreams(igptd, kLetIn));
      ExpectHealthy(igptd);
    }
    EXPECT_TRUE(AwaitStreams(igptd, 0));
    ExpectHealthy(igptd);
  });
  ExpectHarmless(result, kOpenStreamsBytes);
  EXPECT_EQ(igptd.Metrics().at(R"(igptd_calls_shed_total{limit="standard_streams_per_caller"})"), kMany - kLetIn);
}

TEST(IgptdStandardStreamsTest, WatchesAndReflectionOnSeveralConnections) {
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  const AttackResult result = Attack(igptd, [&] {
    std::vector<std::unique_ptr<Http2Client>> clients;
    for (const char* method : {kWatch, kReflection, kOldReflection, kWatch, kReflection, kOldReflection}) {
      clients.push_back(std::make_unique<Http2Client>(igptd.process->address(), Reader()));
      OpenMany(*clients.back(), method, kMany, method == kWatch ? std::optional<std::string>("") : std::nullopt);
    }
    AwaitRefusals(*clients.front(), kMany - kLetIn);
    for (size_t i = 1; i < clients.size(); ++i) AwaitRefusals(*clients[i], kMany);
    EXPECT_TRUE(AwaitStreams(igptd, kLetIn));
    ExpectHealthy(igptd);
    clients.clear();
    EXPECT_TRUE(AwaitStreams(igptd, 0));
    ExpectHealthy(igptd);
  });
  ExpectHarmless(result, kOpenStreamsBytes);
}

TEST(IgptdStandardStreamsTest, WatchesThatLeaveOneByOneMakeRoom) {
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  const AttackResult result = Attack(igptd, [&] {
    Http2Client client(igptd.process->address(), Reader());
    OpenWatches(client, kLetIn);
    ASSERT_TRUE(client.Await([&] { return client.data_bytes() == kStatusBytes * kLetIn; }));
    EXPECT_TRUE(AwaitStreams(igptd, kLetIn));
    for (uint32_t stream = 1; stream < 2 * kLetIn; stream += 2) {
      client.Reset(stream);
      ASSERT_TRUE(client.Flush());
    }
    EXPECT_TRUE(AwaitStreams(igptd, 0));
    OpenWatches(client, kLetIn);
    EXPECT_TRUE(client.Await([&] { return client.data_bytes() == 2 * kStatusBytes * kLetIn; }));
    for (const auto& [stream, end] : client.ends()) {
      EXPECT_THAT(end.grpc_status, Not(Optional(int{StatusCode::RESOURCE_EXHAUSTED})));
    }
  });
  ExpectHarmless(result, kOpenStreamsBytes);
}

TEST(IgptdStandardStreamsTest, WatchesOfServicesThatDoNotExist) {
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  const AttackResult result = Attack(igptd, [&] {
    Http2Client client(igptd.process->address(), Reader());
    OpenWatches(client, kLetIn + 1, "a.B");
    AwaitRefusals(client, 1);
    EXPECT_TRUE(AwaitStreams(igptd, kLetIn));
  });
  ExpectHarmless(result, kOpenStreamsBytes);
  EXPECT_TRUE(AwaitStreams(igptd, 0));
}

// A stream whose caller has sent its last request ends by itself; one whose caller goes on waits for it.
TEST(IgptdStandardStreamsTest, ReflectionStreamsEndWithTheirRequests) {
  Igptd igptd;
  Http2Client client(igptd.process->address(), Reader());
  OpenMany(client, kReflection, kLetIn);
  EXPECT_TRUE(AwaitStreams(igptd, kLetIn));
  for (uint32_t stream = 1; stream < 2 * kLetIn; stream += 2) client.Message(stream, "");
  ASSERT_TRUE(client.Await([&] { return client.ends().size() == kLetIn; }));
  for (const auto& [stream, end] : client.ends()) EXPECT_THAT(end.grpc_status, Optional(int{StatusCode::OK}));
  EXPECT_TRUE(AwaitStreams(igptd, 0));
}

// Watches that a caller never reads are its stall timer's concern. Until then they hold up nobody, and no shutdown.
TEST(IgptdStandardStreamsTest, WatchesThatNobodyReads) {
  Igptd igptd({"--drain_timeout=5m"});
  igptd.upstream.OnRequest(AnswerAtOnce);
  Http2Client client(igptd.process->address(), {.stream_window = 0});
  const AttackResult result = Attack(igptd, [&] {
    OpenWatches(client, kLetIn);
    EXPECT_TRUE(AwaitStreams(igptd, kLetIn));
    ExpectHealthy(igptd);
  });
  ExpectHarmless(result, kOpenStreamsBytes);
  igptd.process->Signal(SIGTERM);
  (void)client.Await([] { return false; });  // returns when the connection has ended
  EXPECT_TRUE(client.ended());
  EXPECT_GE(client.ends().size(), kLetIn - 1);  // gRPC may end the connection before it has sent the last status
  ExpectShuttingDown(client);
  EXPECT_THAT(igptd.process->AwaitExit(), Optional(0));
}

TEST(IgptdStandardStreamsTest, WatchesThatNobodyReadsAreEnded) {
  Igptd igptd({"--stalled_reader_timeout=1s"});
  Http2Client client(igptd.process->address(), {.stream_window = 0});
  OpenWatches(client, kLetIn);
  ASSERT_TRUE(client.Await([&] { return client.ends().size() == kLetIn; }));
  EXPECT_TRUE(AwaitStreams(igptd, 0));
}

// Answers that their caller doesn't read are bounded too, as the calls that wait for an answer are.
TEST(IgptdStandardStreamsTest, ChecksWhoseAnswersNobodyReads) {
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  const AttackResult result = Attack(igptd, [&] {
    Http2Client client(igptd.process->address(), {.stream_window = 0});
    for (size_t opened = 0; opened < kMany && client.ends().empty(); opened += kBatch) {
      OpenMany(client, kCheck, kBatch, "");
      (void)client.Await([&] { return !client.ends().empty(); }, absl::Milliseconds(10));
    }
    ASSERT_TRUE(client.Await([&] { return !client.ends().empty(); }));
    EXPECT_THAT(client.ends().begin()->second.grpc_status, Optional(int{StatusCode::RESOURCE_EXHAUSTED}));
    EXPECT_GE(igptd.Metrics().at(R"(igptd_calls_shed_total{limit="standard_answers_per_caller"})"), 1);
    EXPECT_EQ(igptd.Get("/healthz").status, 200);
  });
  ExpectHarmless(result, kOpenStreamsBytes);
  ExpectHealthy(igptd);
}

// Each is told NOT_SERVING, and then why it ends.
TEST(IgptdStandardStreamsTest, AShutdownEndsEachWatchOnce) {
  Igptd igptd({"--drain_timeout=5m"});
  Http2Client client(igptd.process->address(), Reader());
  OpenWatches(client, kLetIn);
  ASSERT_TRUE(client.Await([&] { return client.data_bytes() == kStatusBytes * kLetIn; }));
  igptd.process->Signal(SIGTERM);
  ASSERT_TRUE(client.Await([&] { return client.ends().size() == kLetIn; }));
  EXPECT_EQ(client.data_bytes(), 2 * kStatusBytes * kLetIn);
  ExpectShuttingDown(client);
  EXPECT_THAT(igptd.process->AwaitExit(), Optional(0));
}

}  // namespace
}  // namespace igpt::testing
