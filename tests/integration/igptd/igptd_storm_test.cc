// Thousands of Asks with random cancels, deadlines and faults: each ends exactly once, and nothing leaks.
#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/integration/igptd/igptd_fixture.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using ::testing::SizeIs;

constexpr int kCalls = 12'000;
constexpr int kCallers = 64;
constexpr int kDeltas = 10;
constexpr unsigned kSeed = 20'260'611;

// How iGPT answers, which the caller encodes in the input.
enum class Upstream { kFast, kPaced, kCut, kError, kUnavailable, kCount };
// When the caller cancels, if it does.
enum class Cancel { kNever, kAtOnce, kWaiting, kMidStream, kCount };

struct Plan {
  Upstream upstream;
  Cancel cancel;
  absl::Duration delay;     // before a cancel while waiting
  absl::Duration deadline;  // infinite: none
};

std::string NameOf(int call) {
  return "call-" + std::to_string(call);
}

Plan PlanOf(int call) {
  std::mt19937 random(kSeed + static_cast<unsigned>(call));
  const auto below = [&random](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  Plan plan;
  plan.upstream = static_cast<Upstream>(below(static_cast<int>(Upstream::kCount)));
  plan.cancel = static_cast<Cancel>(below(static_cast<int>(Cancel::kCount)));
  plan.delay = absl::Microseconds(below(10'000));
  plan.deadline = below(4) == 0 ? absl::Microseconds(below(30'000)) : absl::InfiniteDuration();
  return plan;
}

void Answer(Exchange& exchange) {
  const std::string& body = exchange.request().body;
  const auto is = [&body](Upstream upstream) {
    return body.find("upstream " + std::to_string(static_cast<int>(upstream))) != std::string::npos;
  };
  if (is(Upstream::kError)) {
    exchange.Answer(200, R"({"error":"params"})");
    return;
  }
  if (is(Upstream::kUnavailable)) {
    exchange.Answer(503, "");
    return;
  }
  exchange.StartSse();
  exchange.SendSse(kRunStart);
  for (int i = 1; i <= kDeltas; ++i) {
    if (is(Upstream::kPaced)) absl::SleepFor(absl::Milliseconds(1));
    if (is(Upstream::kCut) && i == kDeltas / 2) return exchange.Reset();
    if (!exchange.SendSse(DeltaEvent(i, "a"))) return;
  }
  exchange.SendSse(R"({"type":"run.done","seq":11,"id":"r1","output":"aaaaaaaaaa"})");
  exchange.EndChunked();
}

// Checks that the events are a prefix of the run, and the whole run if the status is OK.
void ExpectPrefix(const Stream& stream, const std::string& name) {
  for (size_t i = 0; i < stream.events.size(); ++i) {
    EXPECT_EQ(stream.events[i].seq(), static_cast<int64_t>(i)) << name;
  }
  if (stream.status.ok()) {
    EXPECT_THAT(stream.events, SizeIs(kDeltas + 2)) << name;
  }
}

Stream AskByPlan(v1::RecallService::Stub& stub, const Plan& plan, const std::string& name) {
  grpc::ClientContext context;
  context.AddMetadata("x-request-id", name);
  // On a busy machine, a client can be so slow in its handshake that igptd closes the connection.
  context.set_wait_for_ready(true);
  if (plan.deadline != absl::InfiniteDuration()) {
    context.set_deadline(absl::ToChronoTime(absl::Now() + plan.deadline));
  }
  const std::string input = "upstream " + std::to_string(static_cast<int>(plan.upstream));
  if (plan.cancel == Cancel::kAtOnce) context.TryCancel();
  const auto reader = stub.Ask(&context, AskFor("ada", input));
  if (plan.cancel == Cancel::kWaiting) {
    absl::SleepFor(plan.delay);
    context.TryCancel();
  }
  if (plan.cancel != Cancel::kMidStream) return ReadAll(context, *reader);
  v1::AskResponse first;
  if (!reader->Read(&first)) return ReadAll(context, *reader);
  context.TryCancel();
  Stream rest = ReadAll(context, *reader);
  if (first.has_event()) rest.events.insert(rest.events.begin(), first.event());
  return rest;
}

void ExpectAllowed(const Plan& plan, const Stream& stream, const std::string& name) {
  using grpc::StatusCode;
  ExpectPrefix(stream, name);
  const StatusCode code = stream.status.error_code();
  if (plan.cancel != Cancel::kNever && code == StatusCode::CANCELLED) return;
  if (plan.deadline != absl::InfiniteDuration() && code == StatusCode::DEADLINE_EXCEEDED) return;
  switch (plan.upstream) {
    case Upstream::kFast:
    case Upstream::kPaced:
      EXPECT_EQ(code, StatusCode::OK) << name << stream.status.error_message();
      break;
    case Upstream::kError:
      EXPECT_THAT(stream.status, FailsWith(StatusCode::INVALID_ARGUMENT, "IGPT_PARAMS")) << name;
      break;
    case Upstream::kUnavailable:
      EXPECT_THAT(stream.status, FailsWith(StatusCode::UNAVAILABLE, "IGPT_UNAVAILABLE")) << name;
      break;
    default:
      // A reset may overtake data that was sent before it. The request then failed before its first event.
      EXPECT_EQ(code, StatusCode::UNAVAILABLE) << name;
      break;
  }
}

TEST(IgptdStormTest, EveryCallEndsOnce) {
  Igptd igptd({"--max_retries=1"});
  igptd.upstream.OnRequest(Answer);
  std::atomic<int> next = 0;
  std::vector<grpc::StatusCode> codes(kCalls);
  std::vector<std::thread> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([&, stub = v1::RecallService::NewStub(i % 2 == 0 ? igptd.channel : igptd.NewChannel())] {
      for (int call = next++; call < kCalls; call = next++) {
        const Plan plan = PlanOf(call);
        const Stream stream = AskByPlan(*stub, plan, NameOf(call));
        codes[static_cast<size_t>(call)] = stream.status.error_code();
        ExpectAllowed(plan, stream, NameOf(call));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_GT(std::count(codes.begin(), codes.end(), grpc::StatusCode::OK), kCalls / 20);
  EXPECT_GT(std::count(codes.begin(), codes.end(), grpc::StatusCode::CANCELLED), kCalls / 20);

  igptd.Stop();
  std::map<std::string, std::string> logged;
  for (const nlohmann::json& line : igptd.CallLines()) {
    EXPECT_TRUE(logged.emplace(line["request_id"], line["code"]).second) << line << " is the call's second line";
  }
  for (int call = 0; call < kCalls; ++call) {
    const grpc::StatusCode code = codes[static_cast<size_t>(call)];
    // A call that its caller gave up may have ended differently in igptd, or never have reached it.
    if (code == grpc::StatusCode::CANCELLED || code == grpc::StatusCode::DEADLINE_EXCEEDED) continue;
    ASSERT_EQ(logged.count(NameOf(call)), 1U) << NameOf(call);
    EXPECT_EQ(logged[NameOf(call)] == "OK", code == grpc::StatusCode::OK) << NameOf(call);
  }
  // The requests to iGPT have ended too.
  for (int i = 1; i <= igptd.upstream.connections(); ++i) EXPECT_TRUE(igptd.upstream.AwaitClosed(i)) << i;
}

}  // namespace
}  // namespace igpt::testing
