#include "igpt/internal/policy/throttle.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "absl/time/time.h"
#include "igpt/error.h"

namespace igpt::internal {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = 12'345 * kSecond;

constexpr Throttle::Who kAda = {.group = 7, .user = 7};

FailedAttempt Failed(ErrorKind kind = ErrorKind::kUnavailable) {
  FailedAttempt failed;
  failed.error.kind = kind;
  failed.message = "iGPT answered 500";
  return failed;
}

void Accept(Throttle& throttle, Throttle::Who who, int requests, int64_t now = kStart) {
  for (int i = 0; i < requests; ++i) throttle.OnAccepted(who, now);
}
void Fail(Throttle& throttle, Throttle::Who who, int requests, int64_t now = kStart) {
  for (int i = 0; i < requests; ++i) throttle.OnFailed(who, now, Failed());
}

// With which probability a request is held back, to a thousandth. Asks a copy's worth of dice, so nothing is sent.
template <typename Make>
double Probability(const Make& make, Throttle::Who who, int64_t now = kStart) {
  double sent = 0;
  double held_back = 1;  // the lowest number that isn't
  for (int i = 0; i < 20; ++i) {
    Throttle throttle;
    make(throttle);
    const double middle = (sent + held_back) / 2;
    (throttle.Admit(who, now, middle).ok() ? held_back : sent) = middle;
  }
  return held_back < 0.001 ? 0 : held_back;
}

TEST(ThrottleTest, HoldsBackWhatTheFormulaSays) {
  struct {
    int accepted;
    int failed;
    double probability;
  } const kTable[] = {
      {0, 0, 0},
      {1000, 0, 0},
      {0, 99, 0},  // no outage yet
      {0, 100, 0.9},
      {0, 10'000, 0.9},
      {1000, 1000, 0},  // half of them is what may fail
      {1000, 900, 0},
      {100, 200, 100.0 / 301},
      {250, 750, 500.0 / 1001},
      {10, 990, 0.9},
  };
  for (const auto& row : kTable) {
    SCOPED_TRACE(std::to_string(row.accepted) + " accepted, " + std::to_string(row.failed) + " failed");
    const auto make = [&](Throttle& throttle) {
      Accept(throttle, kAda, row.accepted);
      Fail(throttle, kAda, row.failed);
    };
    EXPECT_NEAR(Probability(make, kAda), row.probability, 1e-4);
  }
}

TEST(ThrottleTest, WhatIsHeldBackCountsAsFailed) {
  const auto before = [](Throttle& throttle) {
    Accept(throttle, kAda, 100);
    Fail(throttle, kAda, 200);
  };
  const auto after = [&](Throttle& throttle) {
    before(throttle);
    EXPECT_FALSE(throttle.Admit(kAda, kStart, 0).ok());
    EXPECT_EQ(throttle.held_back(), 1);
  };
  EXPECT_GT(Probability(after, kAda), Probability(before, kAda));
}

TEST(ThrottleTest, AnErrorSaysWhoseRequestsFail) {
  Throttle throttle;
  Fail(throttle, kAda, 99);
  throttle.OnFailed(kAda, kStart, Failed(ErrorKind::kNetwork));
  const absl::Status status = throttle.Admit(kAda, kStart, 0.45);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.message().find("most requests of this user to iGPT are failing"), absl::string_view::npos);
  EXPECT_NE(status.message().find("The last one: iGPT answered 500"), absl::string_view::npos);
  EXPECT_EQ(ErrorOf(status)->kind, ErrorKind::kNetwork);
  EXPECT_EQ(ErrorOf(status)->retry_after, absl::Seconds(1.5));
  EXPECT_EQ(ErrorOf(status)->call.attempts, 0);
}

TEST(ThrottleTest, TheShareIsOfTheLastTenSeconds) {
  Throttle throttle;
  EXPECT_EQ(throttle.HeldBackShare(kStart), 0);
  Fail(throttle, kAda, 100);
  for (const double dice : {0.0, 0.1, 0.2, 0.95}) (void)throttle.Admit(kAda, kStart, dice);
  EXPECT_EQ(throttle.HeldBackShare(kStart), 0.75);
  EXPECT_EQ(throttle.HeldBackShare(kStart + 10 * kSecond), 0);
  EXPECT_EQ(throttle.held_back(), 3);
}

TEST(ThrottleTest, TheWindowIsTenSeconds) {
  const auto at = [](int second) { return kStart + second * kSecond; };
  const auto make = [&](Throttle& throttle) {
    Fail(throttle, kAda, 100);
    Fail(throttle, kAda, 1, at(5));
  };
  EXPECT_GT(Probability(make, kAda, at(9)), 0);
  EXPECT_EQ(Probability(make, kAda, at(10)), 0);
  const auto more = [&](Throttle& throttle) {
    make(throttle);
    Fail(throttle, kAda, 99, at(10));
  };
  EXPECT_GT(Probability(more, kAda, at(14)), 0);
  EXPECT_EQ(Probability(more, kAda, at(15)), 0);
  // Long after, nothing is left of it, and it counts anew.
  const auto later = [&](Throttle& throttle) {
    more(throttle);
    Fail(throttle, kAda, 100, at(1'000'000));
  };
  EXPECT_EQ(Probability(more, kAda, at(1'000'000)), 0);
  EXPECT_GT(Probability(later, kAda, at(1'000'000)), 0);
}

// For a while, requests of these fail, many in each second.
template <typename WhoOf>
void FailForAWhile(Throttle& throttle, int many, const WhoOf& who_of) {
  for (int second = -20; second < 0; ++second) {
    for (int i = 0; i < 20; ++i) {
      for (int j = 0; j < many; ++j) throttle.OnFailed(who_of(j), kStart + second * kSecond, Failed());
    }
  }
}

TEST(ThrottleTest, NobodyIsHeldBackForAnothersFailures) {
  constexpr Throttle::Who kOtherUser = {.group = 7, .user = 8};
  constexpr Throttle::Who kOtherGroup = {.group = 8, .user = 7};
  const auto one_user = [](Throttle& throttle) { FailForAWhile(throttle, 1, [](int) { return kAda; }); };
  EXPECT_NEAR(Probability(one_user, kAda), 0.9, 1e-4);
  EXPECT_EQ(Probability(one_user, kOtherUser), 0);
  EXPECT_EQ(Probability(one_user, kOtherGroup), 0);
  // However many users fail, other groups are not held back, and of their group nobody whose requests are accepted.
  const auto many_users = [&](Throttle& throttle) {
    FailForAWhile(throttle, 100, [](int i) { return Throttle::Who{.group = 7, .user = static_cast<uint64_t>(i) + 9}; });
  };
  EXPECT_NEAR(Probability(many_users, kOtherUser), 0.9, 1e-4);
  EXPECT_EQ(Probability(many_users, kOtherGroup), 0);
  const auto one_works = [&](Throttle& throttle) {
    Accept(throttle, kOtherUser, 1);
    many_users(throttle);
  };
  EXPECT_EQ(Probability(one_works, kOtherUser, kStart - kSecond), 0);
  // Those of several groups do.
  const auto many_groups = [&](Throttle& throttle) {
    FailForAWhile(throttle, 10, [](int i) { return Throttle::Who{.group = static_cast<uint64_t>(i) + 9, .user = 7}; });
  };
  EXPECT_NEAR(Probability(many_groups, kAda), 0.9, 1e-4);
}

// An outage is noticed at once, however many users or groups there are.
TEST(ThrottleTest, AnOutageOfManyIsNoticed) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> dice(0, 1);
  constexpr int kRequests = 10'000;
  for (const uint64_t groups : {1, 2, 5, 20, 1000}) {
    for (const uint64_t users : {1, 2, 5, 20, 1000}) {
      SCOPED_TRACE(std::to_string(groups) + " groups of " + std::to_string(users) + " users");
      Throttle throttle;
      int sent = 0;
      for (int i = 0; i < kRequests; ++i) {
        const int64_t now = kStart + i * (kSecond / 1000);
        const Throttle::Who who = {.group = i % groups, .user = i / groups % users};
        if (!throttle.Admit(who, now, dice(random)).ok()) continue;
        ++sent;
        throttle.OnFailed(who, now, Failed());
      }
      EXPECT_LT(sent, kRequests / 3);
    }
  }
}

// More are not told apart, so that memory is bounded; those that were not active for ten seconds make room.
TEST(ThrottleTest, SoManyAreToldApart) {
  const auto stranger = [](uint64_t i) { return Throttle::Who{.group = 7, .user = i + 100}; };
  const auto make = [&](Throttle& throttle) {
    for (uint64_t i = 0; i < Throttle::kToldApart; ++i) Accept(throttle, stranger(i), 1);
    Fail(throttle, stranger(1'000'000), 100);
  };
  EXPECT_NEAR(Probability(make, stranger(1'000'001)), 0.9, 1e-4);
  EXPECT_EQ(Probability(make, stranger(0)), 0);
  const auto later = [&](Throttle& throttle) {
    make(throttle);
    Fail(throttle, stranger(1'000'000), 100, kStart + 10 * kSecond);
  };
  EXPECT_NEAR(Probability(later, stranger(1'000'000), kStart + 10 * kSecond), 0.9, 1e-4);
  EXPECT_EQ(Probability(later, stranger(1'000'001), kStart + 10 * kSecond), 0);
}

// Requests at a steady rate, through an outage: how many are sent in each second.
TEST(ThrottleTest, AnOutageAndItsEnd) {
  constexpr int kRate = 1000;
  constexpr int kOutage = 60;
  std::mt19937 random(7);
  std::uniform_real_distribution<double> dice(0, 1);
  Throttle throttle;
  int64_t now = kStart;
  const auto run_second = [&](bool up) {
    int sent = 0;
    for (int i = 0; i < kRate; ++i, now += kSecond / kRate) {
      if (!throttle.Admit(kAda, now, dice(random)).ok()) continue;
      ++sent;
      up ? throttle.OnAccepted(kAda, now) : throttle.OnFailed(kAda, now, Failed());
    }
    return sent;
  };
  for (int second = 0; second < 20; ++second) EXPECT_EQ(run_second(true), kRate);

  int in_outage = 0;
  for (int second = 0; second < kOutage; ++second) {
    const int sent = run_second(false);
    in_outage += sent;
    EXPECT_GT(sent, 0) << second;
    // Once what was accepted before is forgotten.
    if (second > 10) {
      EXPECT_LT(sent, kRate / 5) << second;
    }
  }
  EXPECT_LT(in_outage, kRate * kOutage / 4);

  // It comes back step by step, and whole.
  int last = kRate / 10;
  int seconds = 0;
  for (; last < kRate && seconds < 60; ++seconds) {
    const int sent = run_second(true);
    EXPECT_LT(sent, 4 * last + kRate / 10) << seconds;
    last = sent;
  }
  EXPECT_LT(seconds, 30);
  for (int second = 0; second < 20; ++second) EXPECT_EQ(run_second(true), kRate);
}

// iGPT accepts a fifth of the load: it is sent about twice what it accepts, and not five times.
TEST(ThrottleTest, TooLittleCapacity) {
  constexpr int kRate = 1000;
  constexpr int kCapacity = 200;
  std::mt19937 random(7);
  std::uniform_real_distribution<double> dice(0, 1);
  Throttle throttle;
  int64_t now = kStart;
  int sent = 0;
  for (int second = 0; second < 60; ++second) {
    sent = 0;
    for (int i = 0; i < kRate; ++i, now += kSecond / kRate) {
      if (!throttle.Admit(kAda, now, dice(random)).ok()) continue;
      ++sent <= kCapacity ? throttle.OnAccepted(kAda, now) : throttle.OnFailed(kAda, now, Failed());
    }
  }
  EXPECT_GT(sent, kCapacity * 3 / 2);
  EXPECT_LT(sent, kCapacity * 5 / 2);
}

}  // namespace
}  // namespace igpt::internal
