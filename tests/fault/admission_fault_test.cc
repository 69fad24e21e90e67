// More load than igptd can take, or than one caller may have.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "grpcpp/create_channel.h"
#include "tests/fault/fault_case.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Le;

// How often callers ask during the load.
constexpr int kRounds = 20;

void AnswerSlowly(Exchange& exchange) {
  exchange.StartSse();
  exchange.SendSse(kRunStart);
  absl::SleepFor(absl::Milliseconds(20));
  exchange.SendSse(kRunDone);
  exchange.EndChunked();
}

int PortOf(const Igptd& igptd) {
  const std::vector<std::string> parts = absl::StrSplit(igptd.process->address(), ':');
  return std::stoi(parts.back());
}

// How many calls ended.
struct Load {
  std::mutex mutex;
  std::vector<absl::Duration> served;  // how long each took
  std::vector<absl::Duration> shed;

  // Asks over its own connection, one call after the other.
  void Ask(const std::string& address, int calls) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto stub =
        v1::RecallService::NewStub(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
    for (int i = 0; i < calls; ++i) {
      grpc::ClientContext context;
      context.set_wait_for_ready(true);
      context.set_deadline(absl::ToChronoTime(absl::Now() + kWaitLimit));
      const absl::Time start = absl::Now();
      const Stream stream = ReadAll(context, *stub->Ask(&context, AskFor("ada", "?")));
      const absl::Duration took = absl::Now() - start;
      if (!stream.status.ok()) {
        EXPECT_THAT(stream.status, FailsWith(StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"));
      } else {
        EXPECT_EQ(stream.events.size(), 2U);
      }
      const std::lock_guard lock(mutex);
      (stream.status.ok() ? served : shed).push_back(took);
    }
  }

  void Print(const char* what) {
    for (auto* times : {&served, &shed}) {
      if (times->empty()) continue;
      std::sort(times->begin(), times->end());
      std::printf("%s: %zu %s, p50 %s, p99 %s\n", what, times->size(), times == &served ? "served" : "shed",
                  absl::FormatDuration((*times)[times->size() / 2]).c_str(),
                  absl::FormatDuration((*times)[times->size() * 99 / 100]).c_str());
    }
  }
};

TEST(LoadTest, Row38_TenTimesTheLoad) {
  constexpr int kMax = 5;
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  Igptd igptd({absl::StrCat("--max_in_flight=", kMax)});
  igptd.upstream.OnRequest([&](Exchange& exchange) {
    const int now = ++running;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    exchange.StartSse();
    exchange.SendSse(kRunStart);
    absl::SleepFor(absl::Milliseconds(20));
    --running;
    exchange.SendSse(kRunDone);
    exchange.EndChunked();
  });
  Load load;
  std::vector<std::thread> callers;
  for (int i = 0; i < 10 * kMax; ++i) {
    callers.emplace_back([&] { load.Ask(igptd.process->address(), kRounds); });
  }
  for (std::thread& caller : callers) caller.join();
  load.Print("ten times the load");
  EXPECT_FALSE(load.shed.empty());
  EXPECT_FALSE(load.served.empty());
  // Shed calls never became requests to iGPT, and there were never more requests at once than allowed.
  EXPECT_EQ(igptd.upstream.requests().size(), load.served.size());
  EXPECT_THAT(most, AllOf(Ge(1), Le(kMax)));
  igptd.Stop();
  std::vector<std::string> expected(load.served.size(), "OK/");
  expected.resize(load.served.size() + load.shed.size(), LogName(StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"));
  ExpectLog(igptd, expected, "no canary");
}

// A greedy caller takes all it can get, while another makes a few calls.
void ExpectOnlyTheGreedyIsShed(const std::vector<std::string>& flags, int greedy_calls) {
  Event over;
  Igptd igptd(flags);
  igptd.upstream.OnRequest([&](Exchange& exchange) {
    if (exchange.request().body.find("for good") == std::string::npos) return AnswerSlowly(exchange);
    exchange.StartSse();
    exchange.SendSse(kRunStart);
    exchange.WaitFor(over);
  });
  std::atomic<int> shed = 0;
  std::atomic<int> ended = 0;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::thread> greedy;
  for (int i = 0; i < greedy_calls; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    greedy.emplace_back([&igptd, &shed, &ended, &context = *contexts.back()] {
      const Stream stream = ReadAll(context, *igptd.recall->Ask(&context, AskFor("ada", "for good")));
      if (DetailsOf(stream.status).info.reason() == "OVERLOADED") ++shed;
      ++ended;
    });
  }
  EXPECT_TRUE(igptd.process->AwaitStderr("OVERLOADED"));

  Relay from_elsewhere(PortOf(igptd), std::nullopt, Greeting::kServe, "127.0.0.2");
  Load modest;
  modest.Ask(absl::StrCat("127.0.0.1:", from_elsewhere.port()), kRounds);
  modest.Print("beside a greedy caller");
  EXPECT_EQ(modest.served.size(), size_t{kRounds});
  EXPECT_EQ(ended, shed);  // its other calls are still running
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, FailsWith(StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"));
  for (const auto& context : contexts) context->TryCancel();
  for (std::thread& caller : greedy) caller.join();
  over.Set();
}

TEST(GreedyCallerTest, Row39_OverItsLimit) {
  ExpectOnlyTheGreedyIsShed({"--max_in_flight_per_caller=10"}, 40);
}
TEST(GreedyCallerTest, Row39_OverItsShareOfWhatAllMayHave) {
  ExpectOnlyTheGreedyIsShed({"--max_in_flight=100"}, 150);
}

}  // namespace
}  // namespace igpt::testing
