#include "igpt/internal/policy/retry_policy.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "igpt/internal/policy/retry_after.h"

namespace igpt::internal {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1700000000);  // Tue, 14 Nov 2023 22:13:20 GMT

FailedAttempt Transient(int attempts) {
  FailedAttempt failed;
  failed.error.kind = ErrorKind::kUnavailable;
  failed.error.call.attempts = attempts;
  failed.transient = true;
  return failed;
}

// NextDelay with a full budget and no deadline.
std::optional<absl::Duration> Delay(const RetryRules& rules, const FailedAttempt& failed, double random) {
  RetryBudget budget;
  return NextDelay(rules, failed, absl::InfiniteDuration(), random, budget);
}

int WithdrawAll(RetryBudget& budget) {
  int count = 0;
  while (budget.TryWithdraw()) ++count;
  return count;
}

TEST(RetryBudgetTest, StartsWithABurstOfTen) {
  RetryBudget budget;
  EXPECT_EQ(WithdrawAll(budget), 10);
  EXPECT_FALSE(budget.TryWithdraw());
}

TEST(RetryBudgetTest, FiveRequestsEarnOneRetry) {
  RetryBudget budget;
  WithdrawAll(budget);
  for (int retries = 0; retries < 100; ++retries) {
    for (int i = 0; i < 4; ++i) budget.OnRequest();
    EXPECT_FALSE(budget.TryWithdraw());
    budget.OnRequest();
    EXPECT_TRUE(budget.TryWithdraw());
  }
}

TEST(RetryBudgetTest, NeverSavesUpMoreThanTheBurst) {
  RetryBudget budget;
  for (int i = 0; i < 10000; ++i) budget.OnRequest();
  EXPECT_EQ(WithdrawAll(budget), 10);
}

TEST(NextDelayTest, BacksOffExponentially) {
  const RetryRules rules{.max_attempts = 10, .backoff_base = absl::Milliseconds(100), .backoff_factor = 3};
  EXPECT_EQ(Delay(rules, Transient(1), 0.5), absl::Milliseconds(50));
  EXPECT_EQ(Delay(rules, Transient(2), 0.5), absl::Milliseconds(150));
  EXPECT_EQ(Delay(rules, Transient(3), 0.5), absl::Milliseconds(450));
  EXPECT_EQ(Delay(rules, Transient(3), 0.25), absl::Milliseconds(225));
  EXPECT_EQ(Delay(rules, Transient(3), 0), absl::ZeroDuration());
}

TEST(NextDelayTest, AHugeBackoffIsNoRetryRatherThanAnOverflow) {
  const RetryRules rules{.max_attempts = 1 << 30, .backoff_factor = 1 << 30};
  EXPECT_EQ(Delay(rules, Transient(1 << 29), 0.5), std::nullopt);
}

TEST(NextDelayTest, StopsWhenTheAttemptsAreUsedUp) {
  const RetryRules rules{.max_attempts = 3};
  EXPECT_NE(Delay(rules, Transient(2), 0.5), std::nullopt);
  EXPECT_EQ(Delay(rules, Transient(3), 0.5), std::nullopt);
  EXPECT_EQ(Delay(rules, Transient(4), 0.5), std::nullopt);
  EXPECT_EQ(Delay(RetryRules{.max_attempts = 1}, Transient(1), 0.5), std::nullopt);
}

TEST(NextDelayTest, ALastingErrorIsNotRetried) {
  FailedAttempt failed = Transient(1);
  failed.transient = false;
  EXPECT_EQ(Delay({}, failed, 0.5), std::nullopt);
  failed.reached = false;
  EXPECT_EQ(Delay({}, failed, 0.5), std::nullopt);
}

TEST(NextDelayTest, WhatMustNotBeRepeatedIsOnlyWhenItNeverArrived) {
  const RetryRules rules{.idempotent = false};
  FailedAttempt failed = Transient(1);
  EXPECT_EQ(Delay(rules, failed, 0.5), std::nullopt);
  failed.reached = false;
  EXPECT_EQ(Delay(rules, failed, 0.5), absl::Milliseconds(50));
}

TEST(NextDelayTest, RetryAfterIsTheLeastWait) {
  FailedAttempt failed = Transient(1);
  failed.error.retry_after = absl::Seconds(7);
  EXPECT_EQ(Delay({}, failed, 0.5), absl::Seconds(7));
  failed.error.retry_after = absl::Milliseconds(20);
  EXPECT_EQ(Delay({}, failed, 0.5), absl::Milliseconds(50));
  failed.error.retry_after = absl::ZeroDuration();
  EXPECT_EQ(Delay({}, failed, 0.5), absl::Milliseconds(50));
}

TEST(NextDelayTest, NeverWaitsToTheDeadlineOrPastIt) {
  RetryBudget budget;
  FailedAttempt failed = Transient(1);
  failed.error.retry_after = absl::Seconds(7);
  const auto delay = [&](absl::Duration left) { return NextDelay({}, failed, left, 0.5, budget); };
  EXPECT_EQ(delay(absl::Seconds(7) + absl::Nanoseconds(1)), absl::Seconds(7));
  EXPECT_EQ(delay(absl::Seconds(7)), std::nullopt);
  EXPECT_EQ(delay(absl::Seconds(6)), std::nullopt);
  EXPECT_EQ(delay(absl::Seconds(-1)), std::nullopt);
}

TEST(NextDelayTest, TakesFromTheBudgetOnlyForARetry) {
  RetryBudget budget;
  FailedAttempt lasting = Transient(1);
  lasting.transient = false;
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(NextDelay({}, lasting, absl::InfiniteDuration(), 0.5, budget), std::nullopt);
    EXPECT_EQ(NextDelay({}, Transient(3), absl::InfiniteDuration(), 0.5, budget), std::nullopt);
    EXPECT_EQ(NextDelay({}, Transient(1), absl::ZeroDuration(), 0.5, budget), std::nullopt);
  }
  for (int i = 0; i < 10; ++i) {
    EXPECT_NE(NextDelay({}, Transient(1), absl::InfiniteDuration(), 0.5, budget), std::nullopt);
  }
  EXPECT_EQ(NextDelay({}, Transient(1), absl::InfiniteDuration(), 0.5, budget), std::nullopt);
}

struct RetryAfter {
  std::string value;
  std::optional<absl::Duration> wait;
};

class RetryAfterTest : public testing::TestWithParam<RetryAfter> {};

TEST_P(RetryAfterTest, IsRead) {
  EXPECT_EQ(ParseRetryAfter(GetParam().value, kNow), GetParam().wait);
}

std::vector<RetryAfter> Seconds() {
  return {
      {"0", absl::ZeroDuration()},
      {"1", absl::Seconds(1)},
      {" 120\t", absl::Seconds(120)},
      {"007", absl::Seconds(7)},
      {"3599", absl::Seconds(3599)},
      {"3600", absl::Hours(1)},
      {"3601", absl::Hours(1)},
      {"1000000000", absl::Hours(1)},
      {"9223372036854775807", absl::Hours(1)},
      {"9223372036854775808", absl::Hours(1)},
      {std::string(10000, '9'), absl::Hours(1)},
  };
}

INSTANTIATE_TEST_SUITE_P(Seconds, RetryAfterTest, testing::ValuesIn(Seconds()));

std::vector<RetryAfter> Dates() {
  return {
      {"Tue, 14 Nov 2023 22:13:50 GMT", absl::Seconds(30)},     {"Tuesday, 14-Nov-23 22:13:50 GMT", absl::Seconds(30)},
      {"Tue Nov 14 22:13:50 2023", absl::Seconds(30)},          {" Tue, 14 Nov 2023 22:14:20 GMT ", absl::Seconds(60)},
      {"Tue, 14 Nov 2023 22:13:20 GMT", absl::ZeroDuration()},  {"Sun, 06 Nov 1994 08:49:37 GMT", absl::ZeroDuration()},
      {"Sunday, 06-Nov-94 08:49:37 GMT", absl::ZeroDuration()}, {"Sun Nov  6 08:49:37 1994", absl::ZeroDuration()},
      {"Wed, 15 Nov 2023 00:00:00 GMT", absl::Hours(1)},        {"Thu, 29 Feb 2024 00:00:00 GMT", absl::Hours(1)},
      {"Fri, 31 Dec 9999 23:59:59 GMT", absl::Hours(1)},        {"Sat, 01 Jan 0000 00:00:00 GMT", absl::ZeroDuration()},
  };
}

INSTANTIATE_TEST_SUITE_P(Dates, RetryAfterTest, testing::ValuesIn(Dates()));

std::vector<RetryAfter> Neither() {
  return {
      {"", std::nullopt},
      {" ", std::nullopt},
      {"-1", std::nullopt},
      {"+1", std::nullopt},
      {"1.5", std::nullopt},
      {"1e3", std::nullopt},
      {"0x10", std::nullopt},
      {"10 s", std::nullopt},
      {"10, 20", std::nullopt},
      {"soon", std::nullopt},
      {std::string("5\0", 2), std::nullopt},
      {"2023-11-14T22:13:50Z", std::nullopt},
      {"Tue, 14 Nov 2023 22:13:50", std::nullopt},
      {"Tue, 14 Nov 2023 22:13:50 CET", std::nullopt},
      {"Tue, 14 Nov 2023 22:13 GMT", std::nullopt},
      {"Tue, 14 Nov 2023 24:13:50 GMT", std::nullopt},
      {"Tue, 14 Nov 2023 22:60:50 GMT", std::nullopt},
      {"Tue, 14 Nov 2023 22:13:60 GMT", std::nullopt},
      {"Tue, 14 Nov 2023 22:13:+5 GMT", std::nullopt},
      {"14 Nov 2023 22:13:50 GMT", std::nullopt},
      {"Tue 14 Nov 22:13:50 2023", std::nullopt},
      {"Thu, 30 Feb 2023 22:13:50 GMT", std::nullopt},
      {"Wed, 29 Feb 2023 22:13:50 GMT", std::nullopt},
      {"Tue, 00 Nov 2023 22:13:50 GMT", std::nullopt},
      {"Tue, 14 Nob 2023 22:13:50 GMT", std::nullopt},
      {"Tue, 14 Nov 023 22:13:50 GMT", std::nullopt},
      {"Tue, 14 Nov 92023 22:13:50 GMT", std::nullopt},
      {"Tue, Nov 14 2023 22:13:50 GMT", std::nullopt},
  };
}

INSTANTIATE_TEST_SUITE_P(Neither, RetryAfterTest, testing::ValuesIn(Neither()));

// RFC 9110, section 5.6.7: two digits are a year in the past when they would be one more than 50 years ahead.
TEST(RetryAfterTest, ReadsTwoDigitYears) {
  const absl::Time end_of_2023 = absl::FromUnixSeconds(1704067190);  // Sun, 31 Dec 2023 23:59:50 GMT
  EXPECT_EQ(ParseRetryAfter("Monday, 01-Jan-24 00:00:00 GMT", end_of_2023), absl::Seconds(10));
  EXPECT_EQ(ParseRetryAfter("Monday, 01-Jan-73 00:00:00 GMT", end_of_2023), absl::Hours(1));         // 2073
  EXPECT_EQ(ParseRetryAfter("Tuesday, 01-Jan-74 00:00:00 GMT", end_of_2023), absl::ZeroDuration());  // 1974

  const absl::Time end_of_2099 = absl::FromUnixSeconds(4102444790);  // Thu, 31 Dec 2099 23:59:50 GMT
  EXPECT_EQ(ParseRetryAfter("Friday, 01-Jan-00 00:00:00 GMT", end_of_2099), absl::Seconds(10));      // 2100
  EXPECT_EQ(ParseRetryAfter("Tuesday, 01-Jan-99 00:00:00 GMT", end_of_2099), absl::ZeroDuration());  // 2099
}

}  // namespace
}  // namespace igpt::internal
