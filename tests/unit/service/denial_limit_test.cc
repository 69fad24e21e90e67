#include "service/access/denial_limit.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "service/edge/caller_connection.h"

namespace igptd {
namespace {

using igpt::MonotonicTime;
using LeftOut = DenialLimit::LeftOut;

constexpr char kHost[] = "ipv4:192.0.2.1";

TEST(DenialLimitTest, Networks) {
  const struct {
    const char* host;
    const char* network;
  } kCases[] = {
      {"ipv4:192.0.2.1", "ipv4:192.0.2.1"},
      {"ipv6:%5B2001:db8:1:2:3:4:5:6%5D", "ipv6:%5B2001:db8:1:2::%5D/64"},
      {"ipv6:%5B2001:db8:1:2::1%5D", "ipv6:%5B2001:db8:1:2::%5D/64"},
      {"ipv6:%5B2001:db8:1:3::1%5D", "ipv6:%5B2001:db8:1:3::%5D/64"},
      {"ipv6:%5Bfe80::1%252%5D", "ipv6:%5Bfe80::%5D/64"},
      {"ipv6:%5B::1%5D", "ipv6:%5B::%5D/64"},
      {"ipv6:%5Bnonsense%5D", "ipv6:%5Bnonsense%5D"},
      {"unix", "unix"},
      {"", ""},
  };
  for (const auto& test : kCases) EXPECT_EQ(NetworkOf(test.host), test.network) << test.host;
}

// How many of these denials are logged.
int Deny(DenialLimit& limit, int denials, const std::string& caller, const std::string& host,
         MonotonicTime now = MonotonicTime()) {
  int logged = 0;
  for (int i = 0; i < denials; ++i) logged += limit.MayLog(caller, host, now) ? 1 : 0;
  return logged;
}

TEST(DenialLimitTest, EachHasAShareOfItsOwn) {
  DenialLimit limit;
  EXPECT_EQ(Deny(limit, 1'000'000, "", kHost), DenialLimit::kLinesOfAddress);
  EXPECT_EQ(Deny(limit, 1'000'000, "search", kHost), DenialLimit::kLinesOfCaller);
  EXPECT_EQ(Deny(limit, 50, "billing", kHost), 50);
  EXPECT_EQ(Deny(limit, 5, "", "ipv4:192.0.2.2"), 5);
  std::map<std::string, int64_t> left_out;
  for (const LeftOut& each : limit.Take()) left_out[each.caller + each.address] = each.calls;
  EXPECT_EQ(left_out, (std::map<std::string, int64_t>{{kHost, 1'000'000 - DenialLimit::kLinesOfAddress},
                                                      {"search", 1'000'000 - DenialLimit::kLinesOfCaller}}));
}

TEST(DenialLimitTest, AnIntervalBeginsWithADenial) {
  DenialLimit limit;
  EXPECT_EQ(limit.end(), MonotonicTime::InfiniteFuture());
  const MonotonicTime start = MonotonicTime() + absl::Hours(7);
  Deny(limit, 100, "", kHost, start);
  Deny(limit, 1, "", kHost, start + absl::Seconds(3));
  EXPECT_EQ(limit.end(), start + DenialLimit::kInterval);
  EXPECT_EQ(limit.Take().size(), 1);
  EXPECT_EQ(limit.end(), MonotonicTime::InfiniteFuture());
  EXPECT_TRUE(limit.Take().empty());
  EXPECT_EQ(Deny(limit, 100, "", kHost), DenialLimit::kLinesOfAddress);
}

// However many addresses somebody has, there are so many lines, and no denial is left uncounted.
TEST(DenialLimitTest, ManyAddressesAreBounded) {
  constexpr int kHosts = 100'000;
  constexpr int kEach = 20;
  DenialLimit limit;
  int64_t counted = 0;
  for (int i = 0; i < kHosts; ++i)
    counted += Deny(limit, kEach, "", absl::StrCat("ipv6:%5B2001:db8:", i % 50'000, "::", i, "%5D"));
  EXPECT_EQ(counted, DenialLimit::kLinesOfAddresses);
  EXPECT_EQ(Deny(limit, 50, "billing", kHost), 50);
  const std::vector<LeftOut> left_out = limit.Take();
  EXPECT_LE(left_out.size(), DenialLimit::kAddresses + 1);
  for (const LeftOut& each : left_out) counted += each.calls;
  EXPECT_EQ(counted, int64_t{kHosts} * kEach);
}

// All addresses of a /64 are one.
TEST(DenialLimitTest, ABlockOfAddressesIsOne) {
  DenialLimit limit;
  int logged = 0;
  for (int i = 0; i < 1000; ++i) logged += Deny(limit, 1, "", absl::StrCat("ipv6:%5B2001:db8::", i, "%5D"));
  EXPECT_EQ(logged, DenialLimit::kLinesOfAddress);
  EXPECT_EQ(limit.Take().size(), 1);
}

}  // namespace
}  // namespace igptd
