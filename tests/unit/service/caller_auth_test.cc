#include "service/access/caller_auth.h"

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace igptd {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

Caller Named(const std::string& name) {
  Caller caller;
  caller.limits.name = name;
  return caller;
}

// The caller billing has two tokens and two SANs, search has one of each.
CallerAuth TwoCallers() {
  Caller billing = Named("billing");
  billing.tokens = {{HashToken("billing-token")}, {HashToken("billing-token-2")}};
  billing.sans = {"DNS:billing.internal", "URI:spiffe://cluster/billing"};
  Caller search = Named("search");
  search.tokens = {{HashToken("search-token")}};
  search.sans = {"DNS:search.internal"};
  return CallerAuth({.callers = {billing, search}});
}

std::string NameOf(const std::shared_ptr<const Caller>& caller) {
  return caller == nullptr ? "" : caller->limits.name;
}

TEST(CallerAuthTest, ByAuthorization) {
  const CallerAuth auth = TwoCallers();
  const struct {
    const char* authorization;
    const char* name;
  } kCases[] = {
      {"Bearer billing-token", "billing"},
      {"Bearer billing-token-2", "billing"},
      {"bearer search-token", "search"},
      {"BEARER search-token", "search"},
      {"Bearer search-token ", ""},
      {"Bearer  search-token", ""},
      {"Bearer SEARCH-TOKEN", ""},
      {"Bearer search-toke", ""},
      {"Bearer ", ""},
      {"Bearer", ""},
      {"", ""},
      {"search-token", ""},
      {"Basic search-token", ""},
      {"Bearersearch-token", ""},
  };
  for (const auto& test : kCases)
    EXPECT_EQ(NameOf(auth.ByAuthorization(test.authorization, kNow).caller), test.name) << test.authorization;
}

TEST(CallerAuthTest, ATokensHashIsNoToken) {
  Caller caller = Named("a");
  caller.tokens = {{HashToken("secret")}};
  const TokenHash hash = HashToken("secret");
  EXPECT_EQ(
      CallerAuth({.callers = {caller}}).ByAuthorization("Bearer " + std::string(hash.begin(), hash.end()), kNow).caller,
      nullptr);
}

// Not even if the callers file came to hold their hashes.
TEST(CallerAuthTest, WhatIsEmptyOrBlankIsNoToken) {
  Caller caller = Named("a");
  for (const char* token : {"", " ", "  ", "\t", "\n", " x", "x ", "x y", "\xC2\xA0"})
    caller.tokens.push_back({HashToken(token)});
  const CallerAuth auth({.callers = {caller}});
  for (const char* authorization : {"Bearer", "Bearer ", "bearer  ", "Bearer   ", "Bearer \t", "Bearer \n", "Bearer  x",
                                    "Bearer x ", "Bearer x y", "Bearer \xC2\xA0"}) {
    EXPECT_EQ(auth.ByAuthorization(authorization, kNow).caller, nullptr) << authorization;
  }
}

TEST(CallerAuthTest, ATokenEnds) {
  Caller caller = Named("a");
  caller.tokens = {{HashToken("for-ever")}, {HashToken("until-now"), kNow}};
  const CallerAuth auth({.callers = {caller}});
  EXPECT_TRUE(auth.ByAuthorization("Bearer for-ever", absl::InfiniteFuture()).valid());
  EXPECT_TRUE(auth.ByAuthorization("Bearer until-now", kNow - absl::Seconds(1)).valid());
  EXPECT_TRUE(auth.ByAuthorization("Bearer until-now", kNow).valid());
  const Credential ended = auth.ByAuthorization("Bearer until-now", kNow + absl::Nanoseconds(1));
  EXPECT_TRUE(ended.expired());
  EXPECT_FALSE(ended.valid());
  EXPECT_EQ(NameOf(ended.caller), "a");
  EXPECT_FALSE(auth.ByAuthorization("Bearer unknown", kNow).expired());
}

TEST(CallerAuthTest, BySans) {
  const CallerAuth auth = TwoCallers();
  const struct {
    std::vector<std::string> sans;
    const char* name;
  } kCases[] = {
      {{"DNS:billing.internal"}, "billing"},
      {{"URI:spiffe://cluster/billing"}, "billing"},
      {{"DNS:unknown", "URI:spiffe://cluster/billing", "DNS:billing.internal"}, "billing"},
      {{"DNS:search.internal"}, "search"},
      {{"DNS:search.internal", "DNS:billing.internal"}, ""},  // of two callers
      {{"URI:billing.internal"}, ""},
      {{"billing.internal"}, ""},
      {{"DNS:sub.billing.internal"}, ""},
      {{"DNS:*.internal"}, ""},
      {{}, ""},
  };
  for (const auto& test : kCases) EXPECT_EQ(NameOf(auth.BySans(test.sans)), test.name);
}

TEST(CallerAuthTest, MayCall) {
  const Caller anything = Named("a");
  Caller some = Named("b");
  some.methods = {"igpt.v1.RecallService/Ask", "igpt.v1.DatasourcesService/*"};
  EXPECT_TRUE(MayCall(anything, "igpt.v1.ConnectorsService/Authorize"));
  EXPECT_TRUE(MayCall(some, "igpt.v1.RecallService/Ask"));
  EXPECT_FALSE(MayCall(some, "igpt.v1.RecallService/Search"));
  EXPECT_TRUE(MayCall(some, "igpt.v1.DatasourcesService/List"));
  EXPECT_TRUE(MayCall(some, "igpt.v1.DatasourcesService/Disconnect"));
  EXPECT_FALSE(MayCall(some, "igpt.v1.ConnectorsService/Authorize"));
  EXPECT_FALSE(MayCall(some, "igpt.v1.DatasourcesServiceX/List"));
}

TEST(CallerAuthTest, MayActFor) {
  Caller caller = Named("billing");
  EXPECT_FALSE(MayActFor(caller, "ada"));
  caller.users = {"ada"};
  caller.user_prefixes = {"tenant-7/"};
  const struct {
    const char* user;
    bool allowed;
  } kCases[] = {{"ada", true},          {"Ada", false},      {"adam", false},          {"ad", false},
                {"tenant-7/eve", true}, {"tenant-7", false}, {"tenant-77/eve", false}, {"x-tenant-7/", false},
                {"billing", false},     {"", false}};
  for (const auto& test : kCases) EXPECT_EQ(MayActFor(caller, test.user), test.allowed) << test.user;
  caller.own_name = true;
  EXPECT_TRUE(MayActFor(caller, "billing"));
  EXPECT_FALSE(MayActFor(caller, "billing2"));
  caller.any_user = true;
  EXPECT_TRUE(MayActFor(caller, "eve"));
}

}  // namespace
}  // namespace igptd
