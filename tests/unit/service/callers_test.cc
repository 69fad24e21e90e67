// What a callers file may hold. The cases are in callers_cases.json; callers_schema_test checks the JSON Schema with
// the same ones.
#include "service/access/callers.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "igpt/v1/connectors.pb.h"
#include "igpt/v1/datasources.pb.h"
#include "igpt/v1/recall.pb.h"

namespace igptd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::string ErrorFor(const std::string& file) {
  return std::string(ParseCallers(file).status().message());
}

TEST(CallersTest, EveryMistakeOfEveryCase) {
  std::ifstream file(CALLERS_CASES);
  const auto cases = nlohmann::json::parse(file);
  ASSERT_GT(cases.size(), 20U);
  for (const auto& test : cases) {
    const std::string name = test["name"];
    const std::string message = ErrorFor(test["file"].dump());
    const std::vector<std::string> found = absl::StrSplit(message, "; ", absl::SkipEmpty());
    const auto expected = test.value("mistakes", std::vector<std::string>());
    for (const std::string& mistake : expected) EXPECT_THAT(message, HasSubstr(mistake)) << name;
    // Some mistakes contain a "; ".
    EXPECT_GE(found.size(), expected.size()) << name << ": " << message;
    EXPECT_EQ(message.empty(), expected.empty()) << name << ": " << message;
    EXPECT_THAT(message, Not(HasSubstr("canary"))) << name;
  }
}

TEST(CallersTest, EverythingIsRead) {
  std::ifstream file(CALLERS_CASES);
  const auto cases = nlohmann::json::parse(file);
  const absl::StatusOr<Callers> callers = ParseCallers(cases[1]["file"].dump());
  ASSERT_TRUE(callers.ok()) << callers.status();
  EXPECT_FALSE(callers->open_standard_services);
  ASSERT_EQ(callers->callers.size(), 2U);
  const Caller& billing = callers->callers[0];
  EXPECT_EQ(billing.limits.name, "billing");
  EXPECT_THAT(billing.sans, ElementsAre("DNS:billing.internal", "URI:spiffe://cluster.local/ns/pay/sa/billing"));
  ASSERT_EQ(billing.tokens.size(), 2U);
  EXPECT_EQ(billing.tokens[0].hash, TokenHash());
  EXPECT_EQ(billing.tokens[1].hash[31], 0xFF);
  EXPECT_EQ(billing.tokens[1].not_after, absl::InfiniteFuture());
  EXPECT_THAT(billing.methods, ElementsAre("igpt.v1.RecallService/Ask", "igpt.v1.DatasourcesService/*"));
  EXPECT_FALSE(billing.any_user);
  EXPECT_TRUE(billing.own_name);
  EXPECT_THAT(billing.users, ElementsAre("ada", "grace"));
  EXPECT_THAT(billing.user_prefixes, ElementsAre("tenant-7/"));
  EXPECT_EQ(billing.limits.max_in_flight, 20);
  EXPECT_EQ(billing.limits.starts_per_second, 2.5);
  EXPECT_EQ(billing.limits.burst, 10);
  EXPECT_TRUE(billing.brings_key);
  const Caller& front = callers->callers[1];
  EXPECT_TRUE(front.any_user);
  EXPECT_THAT(front.methods, IsEmpty());
  EXPECT_EQ(front.limits.max_in_flight, 0);
  EXPECT_EQ(front.limits.starts_per_second, 0.1);
  EXPECT_EQ(front.limits.burst, 1);
  EXPECT_FALSE(front.brings_key);
}

TEST(CallersTest, WhenATokenEnds) {
  const struct {
    const char* text;
    const char* moment;
  } kCases[] = {
      {"2027-03-31T12:00:00Z", "2027-03-31T12:00:00+00:00"},
      {"2027-03-31T12:00:00.25Z", "2027-03-31T12:00:00.25+00:00"},
      {"2027-03-31T12:00:00+05:30", "2027-03-31T06:30:00+00:00"},
      {"2028-02-29T23:59:59-01:00", "2028-03-01T00:59:59+00:00"},
  };
  for (const auto& test : kCases) {
    const absl::StatusOr<Callers> callers =
        ParseCallers(R"({"callers": [{"name": "a", "users": {"any": true}, "token_sha256": [{"sha256": ")" +
                     std::string(64, 'a') + R"(", "not_after": ")" + test.text + "\"}]}]}");
    ASSERT_TRUE(callers.ok()) << callers.status();
    EXPECT_EQ(absl::FormatTime(callers->callers[0].tokens[0].not_after, absl::UTCTimeZone()), test.moment);
  }
}

TEST(CallersTest, WhatIsNoJsonIsToldByItsLine) {
  const struct {
    const char* file;
    const char* error;
  } kCases[] = {
      {"", "line 1: not valid JSON"},
      {"{\n\"callers\": [\n{\"name\": \"canary\",}\n]}", "line 3: not valid JSON"},
      {"{\"callers\": []} {}", "line 1: not valid JSON"},
      {"{\"callers\": [\n", "line 2: not valid JSON"},
      {"{\"callers\": \"\xFF\"}", "line 1: not valid JSON"},
      {"{\"callers\": 1e999}", "the file: holds a number that is too large"},
      {"{\"callers\": [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}", "the file: is nested too deeply"},
      {"{\"callers\": [], \"callers\": []}", "the file: an object has the member callers twice"},
      {"{\"callers\": [{\"name\": \"a\", \"users\": {}, \"name\": \"b\"}]}",
       "the file: an object has the member name twice"},
      {"{\"callers\": [], \"canary@example.com\": 1, \"canary@example.com\": 1}",
       "the file: an object has a member twice"},
  };
  for (const auto& test : kCases) {
    const std::string error = ErrorFor(test.file);
    EXPECT_THAT(error, StartsWith(test.error)) << test.file;
    EXPECT_THAT(error, Not(HasSubstr("canary")));
  }
}

// Derived from the protos, so that new RPCs are tested too.
TEST(CallersTest, EveryMethodCanBeAllowed) {
  for (const google::protobuf::FileDescriptor* proto :
       {igpt::v1::AskRequest::descriptor()->file(), igpt::v1::ListRequest::descriptor()->file(),
        igpt::v1::AuthorizeRequest::descriptor()->file()}) {
    for (int s = 0; s < proto->service_count(); ++s) {
      std::vector<std::string> methods = {proto->service(s)->full_name() + "/*"};
      for (int m = 0; m < proto->service(s)->method_count(); ++m) {
        methods.push_back(proto->service(s)->full_name() + "/" + proto->service(s)->method(m)->name());
      }
      for (const std::string& method : methods) {
        EXPECT_EQ(ErrorFor(R"({"callers":[{"name":"a","san":["DNS:a"],"users":{"any":true},"methods":[")" + method +
                           R"("]}]})"),
                  "");
      }
    }
  }
}

TEST(CallersTest, AnEntryOfATokenIsOneThatCanBeUsed) {
  // The SHA-256 of the token, from sha256sum.
  const absl::StatusOr<std::string> entry = MakeCallerEntry("0123456789abcdef0123456789abcdef", absl::UnixEpoch());
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_THAT(*entry, HasSubstr("3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9"));
  EXPECT_THAT(*entry, Not(HasSubstr("0123456789abcdef")));
  EXPECT_EQ(ErrorFor("{\"callers\":[" + *entry + "]}"), "");
  for (const std::string& bad : {std::string(), std::string("short"), std::string(21, 'a'), std::string(4097, 'a'),
                                 std::string("a token with spaces in it"), std::string(22, '\xE9')}) {
    EXPECT_FALSE(MakeCallerEntry(bad, absl::UnixEpoch()).ok()) << bad;
  }
}

}  // namespace
}  // namespace igptd
