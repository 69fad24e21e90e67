#include "service/edge/networks.h"

#include <algorithm>

#include "gtest/gtest.h"

namespace igptd {
namespace {

using igpt::MonotonicTime;
using Verdict = Networks::Verdict;

constexpr char kHere[] = "ipv4:10.0.0.1";
constexpr char kThere[] = "ipv4:10.0.0.2";
constexpr size_t kMany = 100;

TEST(NetworksTest, AnAddressHasABoundOfConnections) {
  Networks networks;
  const auto now = MonotonicTime::Now();
  EXPECT_EQ(networks.Connected(kHere, 2, now), Verdict::kWelcome);
  EXPECT_EQ(networks.Connected(kHere, 2, now), Verdict::kWelcome);
  EXPECT_EQ(networks.Connected(kHere, 2, now), Verdict::kTooMany);
  EXPECT_EQ(networks.Connected(kThere, 2, now), Verdict::kWelcome);
  networks.Disconnected(kHere);
  EXPECT_EQ(networks.Connected(kHere, 2, now), Verdict::kWelcome);
}

TEST(NetworksTest, WhoWasCutOffWaitsLongerEachTime) {
  Networks networks;
  auto now = MonotonicTime::Now();
  absl::Duration expected = Networks::kFirstWait;
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(networks.Connected(kHere, kMany, now), Verdict::kWelcome) << i;
    networks.Disconnected(kHere);
    EXPECT_EQ(networks.CutOff(kHere, now), expected) << i;
    EXPECT_EQ(networks.Connected(kHere, kMany, now), Verdict::kWaits);
    EXPECT_EQ(networks.Connected(kThere, kMany, now), Verdict::kWelcome);
    EXPECT_EQ(networks.Connected(kHere, kMany, now + (expected - absl::Milliseconds(1))), Verdict::kWaits) << i;
    now = now + expected;
    expected = std::min(2 * expected, Networks::kLongestWait);
  }
}

TEST(NetworksTest, ConnectionsThatAreCutOffTogetherAreOneOffence) {
  Networks networks;
  const auto now = MonotonicTime::Now();
  EXPECT_EQ(networks.CutOff(kHere, now), Networks::kFirstWait);
  EXPECT_EQ(networks.CutOff(kHere, now + absl::Milliseconds(400)), Networks::kFirstWait - absl::Milliseconds(400));
  EXPECT_EQ(networks.Connected(kHere, kMany, now + Networks::kFirstWait), Verdict::kWelcome);
}

TEST(NetworksTest, OffencesAreForgotten) {
  Networks networks;
  auto now = MonotonicTime::Now();
  EXPECT_EQ(networks.CutOff(kHere, now), Networks::kFirstWait);
  now = now + Networks::kFirstWait;
  EXPECT_EQ(networks.CutOff(kHere, now), 2 * Networks::kFirstWait);
  now = now + 2 * Networks::kFirstWait + Networks::kForgotten + absl::Seconds(1);
  EXPECT_EQ(networks.CutOff(kHere, now), Networks::kFirstWait);
}

// Whoever connects from ever new addresses fills no memory.
TEST(NetworksTest, KnowsOnlyThoseWithConnectionsOrOffences) {
  Networks networks;
  auto now = MonotonicTime::Now();
  EXPECT_EQ(networks.Connected(kHere, kMany, now), Verdict::kWelcome);
  networks.CutOff(kThere, now);
  EXPECT_EQ(networks.size(), 2U);
  networks.Disconnected(kHere);
  EXPECT_EQ(networks.size(), 1U);
  now = now + Networks::kFirstWait + Networks::kForgotten + absl::Seconds(1);
  EXPECT_EQ(networks.Connected(kHere, kMany, now), Verdict::kWelcome);
  EXPECT_EQ(networks.size(), 1U);
}

}  // namespace
}  // namespace igptd
