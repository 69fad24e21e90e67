#include "igpt/internal/policy/throttle.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace igpt::internal {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = 12'345 * kSecond;

Throttle After(int accepted, int failed, int64_t now = kStart) {
  Throttle throttle;
  for (int i = 0; i < accepted; ++i) throttle.OnAccepted(now);
  for (int i = 0; i < failed; ++i) throttle.OnFailed(now);
  return throttle;
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
      {0, 1'000'000, 0.9},
      {1000, 1000, 0},  // half of them is what may fail
      {1000, 900, 0},
      {100, 200, 100.0 / 301},
      {250, 750, 500.0 / 1001},
      {10, 990, 0.9},
  };
  for (const auto& row : kTable) {
    SCOPED_TRACE(std::to_string(row.accepted) + " accepted, " + std::to_string(row.failed) + " failed");
    Throttle throttle = After(row.accepted, row.failed);
    EXPECT_DOUBLE_EQ(throttle.Probability(kStart), row.probability);
    EXPECT_TRUE(throttle.Admit(kStart, row.probability));
    if (row.probability > 0) {
      EXPECT_FALSE(throttle.Admit(kStart, row.probability - 0.001));
    }
  }
}

TEST(ThrottleTest, WhatIsHeldBackCountsAsFailed) {
  Throttle throttle = After(100, 200);
  const double before = throttle.Probability(kStart);
  EXPECT_FALSE(throttle.Admit(kStart, 0));
  EXPECT_GT(throttle.Probability(kStart), before);
  EXPECT_TRUE(throttle.Admit(kStart, 0.99));
}

TEST(ThrottleTest, TheWindowIsTenSeconds) {
  Throttle throttle = After(0, 100);
  EXPECT_GT(throttle.Probability(kStart + 9 * kSecond), 0);
  EXPECT_EQ(throttle.Probability(kStart + 10 * kSecond), 0);
  throttle.OnFailed(kStart + 5 * kSecond);
  EXPECT_GT(throttle.Probability(kStart + 9 * kSecond), 0);
  EXPECT_EQ(throttle.Probability(kStart + 10 * kSecond), 0);
  for (int i = 0; i < 99; ++i) throttle.OnFailed(kStart + 10 * kSecond);
  EXPECT_GT(throttle.Probability(kStart + 14 * kSecond), 0);
  EXPECT_EQ(throttle.Probability(kStart + 15 * kSecond), 0);
  // Long after, nothing is left of it, and it counts anew.
  const int64_t later = kStart + 1'000'000 * kSecond;
  EXPECT_EQ(throttle.Probability(later), 0);
  for (int i = 0; i < 100; ++i) throttle.OnFailed(later);
  EXPECT_GT(throttle.Probability(later), 0);
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
      if (!throttle.Admit(now, dice(random))) continue;
      ++sent;
      up ? throttle.OnAccepted(now) : throttle.OnFailed(now);
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
      if (!throttle.Admit(now, dice(random))) continue;
      ++sent <= kCapacity ? throttle.OnAccepted(now) : throttle.OnFailed(now);
    }
  }
  EXPECT_GT(sent, kCapacity * 3 / 2);
  EXPECT_LT(sent, kCapacity * 5 / 2);
}

}  // namespace
}  // namespace igpt::internal
