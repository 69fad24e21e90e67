#include "service/limits/admission.h"

#include <array>
#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/edge/caller_connection.h"

namespace igptd {
namespace {

using ::testing::Optional;

const auto kNow = igpt::MonotonicTime::Now();

constexpr Strains kMemoryTight = {.memory = Strain::kTight};
constexpr Strains kMemoryFull = {.memory = Strain::kFull};
constexpr Strains kDescriptorsTight = {.descriptors = Strain::kTight};
constexpr Strains kDescriptorsFull = {.descriptors = Strain::kFull};

// Running calls, and why others were shed.
class Calls {
 public:
  explicit Calls(AdmissionOptions options) : admission(options) {}

  // Starts a call of a caller without a name, by its address. nullopt: it runs.
  std::optional<Limit> Start(std::string_view host, Strains strains = {}) {
    return Start(CallerLimits{}, host, strains, kNow);
  }
  std::optional<Limit> Start(const CallerLimits& limits, std::string_view host = "", Strains strains = {},
                             igpt::MonotonicTime now = kNow) {
    Admission::Decision decision = admission.Admit(limits, host, strains, now);
    if (decision.shed.has_value()) {
      retry_after = decision.shed->retry_after;
      EXPECT_GT(retry_after, absl::ZeroDuration());
      return decision.shed->limit;
    }
    running.push_back(std::move(decision.permit));
    return std::nullopt;
  }
  // Starts up to `count` calls, and returns how many run.
  int StartMany(int count, std::string_view host, Strains strains = {}) {
    int started = 0;
    while (started < count && !Start(host, strains).has_value()) ++started;
    return started;
  }

  Admission admission;
  std::vector<Admission::Permit> running;
  absl::Duration retry_after;  // of the last call that was shed
};

TEST(AdmissionTest, ExactlyAsManyAsMayRunDo) {
  for (const int max : {1, 2, 9, 10, 99}) {
    Calls calls({.max_in_flight = max});
    EXPECT_EQ(calls.StartMany(2 * max, "a"), max);
    EXPECT_EQ(calls.admission.in_flight(), max);
    EXPECT_THAT(calls.Start("a"), Optional(Limit::kInFlight));
    EXPECT_THAT(calls.Start("b"), Optional(Limit::kInFlight));
    EXPECT_EQ(calls.admission.shed(Limit::kInFlight), 3);
    calls.running.pop_back();
    EXPECT_EQ(calls.Start("b"), std::nullopt);
    EXPECT_THAT(calls.Start("b"), Optional(Limit::kInFlight));
    calls.running.clear();
    EXPECT_EQ(calls.admission.in_flight(), 0);
  }
}

TEST(AdmissionTest, NoLimitIsNone) {
  Calls calls({.max_in_flight = 0, .max_in_flight_per_caller = 0});
  EXPECT_EQ(calls.StartMany(100'000, "a"), 100'000);
}

TEST(AdmissionTest, ACallerHasItsLimitAndOthersHaveTheirs) {
  Calls calls({.max_in_flight = 0, .max_in_flight_per_caller = 3});
  EXPECT_EQ(calls.StartMany(10, "a"), 3);
  EXPECT_THAT(calls.Start("a"), Optional(Limit::kCallerInFlight));
  EXPECT_EQ(calls.StartMany(10, "b"), 3);
  // The callers file overrides it.
  const CallerLimits two = {.name = "billing", .max_in_flight = 2};
  EXPECT_EQ(calls.Start(two, "a"), std::nullopt);
  EXPECT_EQ(calls.Start(two, "b"), std::nullopt);
  EXPECT_THAT(calls.Start(two, "c"), Optional(Limit::kCallerInFlight));
  EXPECT_EQ(calls.admission.shed(Limit::kCallerInFlight), 4);
}

TEST(AdmissionTest, ANewLimitHoldsFromTheNextCallOn) {
  Calls calls({});
  EXPECT_EQ(calls.Start({.name = "billing", .max_in_flight = 1}), std::nullopt);
  EXPECT_THAT(calls.Start({.name = "billing", .max_in_flight = 1}), Optional(Limit::kCallerInFlight));
  EXPECT_EQ(calls.Start({.name = "billing", .max_in_flight = 2}), std::nullopt);
  EXPECT_EQ(calls.Start({.name = "billing"}), std::nullopt);
  EXPECT_THAT(calls.Start({.name = "billing", .max_in_flight = 2}), Optional(Limit::kCallerInFlight));
}

// A caller that starts its next call after the last answer stays within its limit, even if igptd isn't quite done with
// the last call. Still, a caller that doesn't read its answers can't pile up any number of them.
TEST(AdmissionTest, WhatIsFinishingMakesRoomUpToABound) {
  Calls calls({.max_in_flight = 40, .max_in_flight_per_caller = 20});
  const auto run_and_finish = [&](const char* caller) {
    const int started = calls.StartMany(100, caller);
    for (Admission::Permit& permit : calls.running) permit.Finishing();
    return started;
  };
  int held = 0;
  for (int started = run_and_finish("a"); started > 0; started = run_and_finish("a")) held += started;
  EXPECT_EQ(held, 2 * 20 + 64);
  EXPECT_THAT(calls.Start("a"), Optional(Limit::kCallerInFlight));
  EXPECT_EQ(calls.admission.in_flight(), 0);
  EXPECT_EQ(run_and_finish("b"), 20);
  EXPECT_EQ(run_and_finish("b"), 20);
  EXPECT_THAT(calls.Start("b"), Optional(Limit::kInFlight));
  calls.running.clear();
  EXPECT_EQ(calls.StartMany(100, "a"), 20);
}

TEST(AdmissionTest, StartsHaveARateAndABurst) {
  Calls calls({});
  const CallerLimits limits = {.name = "billing", .starts_per_second = 2, .burst = 3};
  igpt::MonotonicTime now = kNow;
  const auto start = [&](int count) {
    int started = 0;
    while (started < count && !calls.Start(limits, "", {}, now).has_value()) ++started;
    return started;
  };
  EXPECT_EQ(start(10), 3);
  EXPECT_THAT(calls.Start(limits, "", {}, now), Optional(Limit::kCallerStarts));
  EXPECT_EQ(calls.retry_after, absl::Milliseconds(500));
  now += absl::Milliseconds(400);
  EXPECT_THAT(calls.Start(limits, "", {}, now), Optional(Limit::kCallerStarts));
  EXPECT_NEAR(absl::ToDoubleSeconds(calls.retry_after), 0.1, 0.001);
  now += absl::Milliseconds(101);
  EXPECT_EQ(start(10), 1);
  now += absl::Seconds(1);
  EXPECT_EQ(start(10), 2);
  now += absl::Hours(1);
  EXPECT_EQ(start(10), 3);
  now += absl::Seconds(1);
  EXPECT_EQ(start(10), 2);
  // Starts count, not running calls, and only this caller's.
  calls.running.clear();
  EXPECT_EQ(start(10), 0);
  EXPECT_EQ(calls.Start({.name = "search", .starts_per_second = 2}, "", {}, now), std::nullopt);
  EXPECT_EQ(calls.StartMany(100, "a"), 100);
}

TEST(AdmissionTest, ARateWithoutABurstLetsOneStartAtATime) {
  Calls calls({});
  const CallerLimits limits = {.name = "billing", .starts_per_second = 0.5};
  EXPECT_EQ(calls.Start(limits), std::nullopt);
  EXPECT_THAT(calls.Start(limits), Optional(Limit::kCallerStarts));
  EXPECT_EQ(calls.retry_after, absl::Seconds(2));
}

TEST(AdmissionTest, WhatIsShedForAnotherReasonCostsNoStart) {
  Calls calls({.max_in_flight = 1});
  const CallerLimits limits = {.name = "billing", .starts_per_second = 1, .burst = 2};
  EXPECT_EQ(calls.Start(limits), std::nullopt);
  for (int i = 0; i < 10; ++i) EXPECT_THAT(calls.Start(limits), Optional(Limit::kInFlight));
  calls.running.clear();
  EXPECT_EQ(calls.Start(limits), std::nullopt);
}

TEST(AdmissionTest, AGreedyCallerLeavesRoomForOthers) {
  Calls calls({.max_in_flight = 1000});
  EXPECT_EQ(calls.StartMany(5000, "greedy"), 900);
  EXPECT_THAT(calls.Start("greedy"), Optional(Limit::kInFlight));
  for (const char* other : {"a", "b", "c"}) EXPECT_EQ(calls.StartMany(10, other), 10);
  EXPECT_THAT(calls.Start("greedy"), Optional(Limit::kInFlight));
  // It may start calls again when the others hold fewer.
  calls.running.erase(calls.running.begin(), calls.running.begin() + 100);
  EXPECT_EQ(calls.StartMany(5000, "greedy"), 70);
}

TEST(AdmissionTest, TwoGreedyCallersLeaveRoomToo) {
  Calls calls({.max_in_flight = 1000});
  for (int i = 0; i < 5000; ++i) {
    calls.Start("greedy");
    calls.Start("greedier");
    calls.Start("greedier");
  }
  EXPECT_LT(calls.admission.in_flight(), 1000);
  EXPECT_EQ(calls.StartMany(30, "a"), 30);
}

TEST(AdmissionTest, WhatIsTightGoesToThoseWhoHoldLess) {
  for (const auto& [strains, limit] :
       {std::pair(kMemoryTight, Limit::kMemory), std::pair(kDescriptorsTight, Limit::kDescriptors)}) {
    Calls calls({});
    EXPECT_EQ(calls.StartMany(100, "greedy"), 100);
    EXPECT_THAT(calls.Start("greedy", strains), Optional(limit));
    EXPECT_GE(calls.StartMany(100, "a", strains), 30);
    EXPECT_GE(calls.StartMany(100, "b", strains), 30);
    EXPECT_THAT(calls.Start("greedy", strains), Optional(limit));
  }
}

TEST(AdmissionTest, WhatIsFullIsForNobody) {
  Calls calls({});
  EXPECT_THAT(calls.Start("a", kDescriptorsFull), Optional(Limit::kDescriptors));
  // If memory is short with so few calls, they are not the reason, so they may run.
  EXPECT_EQ(calls.StartMany(100, "a", kMemoryFull), 4);
  EXPECT_THAT(calls.Start("b", kMemoryFull), Optional(Limit::kMemory));
  EXPECT_EQ(calls.Start("b"), std::nullopt);
}

TEST(AdmissionTest, NobodyTakesAllStandardStreams) {
  Calls calls(kStandardStreams);
  for (const char* caller : {"a", "b", "c"}) {
    EXPECT_EQ(calls.StartMany(5'000, caller), 1'000);
    EXPECT_THAT(calls.Start(caller), Optional(Limit::kCallerStandardStreams));
  }
  EXPECT_LT(calls.StartMany(5'000, "d"), 1'000);
  EXPECT_THAT(calls.Start("d"), Optional(Limit::kStandardStreams));
  EXPECT_EQ(calls.Start("e"), std::nullopt);
  EXPECT_THAT(calls.Start("f", kDescriptorsFull), Optional(Limit::kDescriptors));
}

// A health check must be answered, above all when igptd is in trouble.
TEST(AdmissionTest, StandardAnswersOnlyRunOutForACallerThatDoesNotRead) {
  Calls calls(kStandardAnswers);
  const auto answer = [&](const char* caller, Strains strains) {
    const std::optional<Limit> shed = calls.Start(caller, strains);
    if (!shed.has_value()) calls.running.back().Finishing();
    return shed;
  };
  for (int i = 0; i < 2 * 1'000 + 64; ++i) EXPECT_EQ(answer("a", {}), std::nullopt);
  EXPECT_THAT(answer("a", {}), Optional(Limit::kCallerStandardAnswers));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(answer("b", {.memory = Strain::kFull, .descriptors = Strain::kFull}), std::nullopt);
  }
  calls.running.clear();
  EXPECT_EQ(answer("a", {}), std::nullopt);
}

TEST(AdmissionTest, ThreadsNeverTakeMoreThanThereIs) {
  constexpr int kThreads = 8;
  constexpr int kMax = 50;
  constexpr int kMaxEach = 20;
  Admission admission({.max_in_flight = kMax, .max_in_flight_per_caller = kMaxEach});
  std::atomic<int> all = 0;
  std::array<std::atomic<int>, 4> each = {};
  std::atomic<int> admitted = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const size_t caller = t % each.size();
      const std::string host(1, static_cast<char>('a' + caller));
      std::vector<Admission::Permit> mine;
      for (int i = 0; i < 20'000; ++i) {
        if (i % 3 == 2 && !mine.empty()) {
          --all;
          --each[caller];
          mine.pop_back();
          continue;
        }
        Admission::Decision decision = admission.Admit({}, host, {}, kNow);
        if (decision.shed.has_value()) continue;
        ++admitted;
        EXPECT_LE(++all, kMax);
        EXPECT_LE(++each[caller], kMaxEach);
        mine.push_back(std::move(decision.permit));
      }
      all -= static_cast<int>(mine.size());
      each[caller] -= static_cast<int>(mine.size());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(admission.in_flight(), 0);
  EXPECT_GT(admitted, kMax);
}

TEST(AdmissionTest, AHostIsAPeerWithoutItsPort) {
  EXPECT_EQ(HostOf("ipv4:10.0.0.1:4711"), "ipv4:10.0.0.1");
  EXPECT_EQ(HostOf("ipv6:%5B::1%5D:4711"), "ipv6:%5B::1%5D");
  EXPECT_EQ(HostOf(""), "");
  EXPECT_EQ(AddressOf("ipv4:10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(AddressOf("ipv6:%5B::1%5D"), "::1");
  EXPECT_EQ(AddressOf("ipv6:%5Bfe80::1%25eth0%5D"), "fe80::1");
  EXPECT_EQ(AddressOf(""), "");
}

}  // namespace
}  // namespace igptd
