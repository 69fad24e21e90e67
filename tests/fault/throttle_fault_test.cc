// A long outage of iGPT: igptd holds back requests, and sends them again when the outage is over.
#include <atomic>
#include <cstdio>
#include <functional>
#include <string>

#include "absl/time/clock.h"
#include "nlohmann/json.hpp"
#include "tests/fault/fault_case.h"
#include "tests/support/scratch.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using ::testing::HasSubstr;

struct Ends {
  std::atomic<int> served = 0;
  std::atomic<int> failed = 0;
  std::atomic<int> held_back = 0;
};

// Makes this many calls from several threads.
void MakeCalls(Igptd& igptd, int calls, const std::string& reason, Ends& ends) {
  ListFromThreads(igptd, calls, [&](const grpc::Status& status) {
    if (status.ok()) {
      ++ends.served;
      return;
    }
    EXPECT_THAT(status, FailsWith(StatusCode::UNAVAILABLE, reason));
    const ErrorDetails details = DetailsOf(status);
    if (details.info.metadata().contains("attempts")) {
      ++ends.failed;
      return;
    }
    ++ends.held_back;
    EXPECT_THAT(status.error_message(), HasSubstr("held back"));
    EXPECT_TRUE(details.retry_info.has_value());
  });
}

void ExpectHeldBack(const Handler& outage, const std::string& reason) {
  constexpr int kCalls = 3000;
  Igptd igptd;
  Ends ends;
  igptd.upstream.OnRequest(outage);
  MakeCalls(igptd, kCalls, reason, ends);
  EXPECT_EQ(ends.served, 0);
  const size_t in_outage = igptd.upstream.requests().size();
  std::printf("%d calls in an outage: %zu requests\n", kCalls, in_outage);
  EXPECT_EQ(ends.failed + ends.held_back, kCalls);
  EXPECT_GE(in_outage, static_cast<size_t>(ends.failed));
  // A hundred requests for each loop and a tenth of the others, plus some retries.
  EXPECT_LT(in_outage, kCalls / 2);

  const Series series = igptd.Metrics();
  EXPECT_GT(series.at("igptd_upstream_held_back_ratio"), 0.5);
  EXPECT_GE(series.at("igptd_upstream_held_back_total"), ends.held_back);

  // All calls are served again, though not at once.
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"datasources":[]})"); });
  const absl::Time start = absl::Now();
  bool recovered = false;
  int made = 0;
  constexpr int kAtOnce = 200;
  while (!recovered && absl::Now() < start + 3 * kWaitLimit) {
    Ends now;
    MakeCalls(igptd, kAtOnce, reason, now);
    made += kAtOnce;
    EXPECT_EQ(now.failed, 0);
    recovered = now.served == kAtOnce && igptd.Metrics().at("igptd_upstream_held_back_ratio") == 0;
    // Recovery depends on time, not on how often callers ask.
    absl::SleepFor(absl::Milliseconds(100));
  }
  EXPECT_TRUE(recovered);
  std::printf("served again after %s\n", absl::FormatDuration(absl::Now() - start).c_str());
  // igptd sent no more requests than there were calls.
  EXPECT_LE(igptd.upstream.requests().size() - in_outage, static_cast<size_t>(made));
}

TEST(ThrottleTest, Row37_AnOutageOf503IsNotFloodedAndEnds) {
  ExpectHeldBack([](Exchange& exchange) { exchange.Answer(503, ""); }, "IGPT_UNAVAILABLE");
}
TEST(ThrottleTest, Row37_AnOutageOfResetsIsNotFloodedAndEnds) {
  ExpectHeldBack([](Exchange& exchange) { exchange.Reset(); }, "NETWORK_ERROR");
}

// Requests that iGPT rejects are no outage, however many they are.
TEST(ThrottleTest, Row37_RefusedRequestsAreNoOutage) {
  constexpr int kCalls = 500;
  for (const int status : {401, 422, 429}) {
    Igptd igptd({"--max_retries=1"});
    igptd.upstream.OnRequest([status](Exchange& exchange) { exchange.Answer(status, ""); });
    v1::ListRequest request;
    request.set_user("ada");
    for (int i = 0; i < kCalls; ++i) EXPECT_FALSE(igptd.List(request).status.ok());
    EXPECT_EQ(igptd.upstream.requests().size(), size_t{kCalls}) << status;
  }
}

// The user of a request to iGPT.
std::string UserOf(const HttpRequest& request) {
  return nlohmann::json::parse(request.body).value("user", "");
}

// iGPT fails the requests of the users eve, eve1, … and answers all others.
void FailEve(Exchange& exchange) {
  const bool eve = UserOf(exchange.request()).rfind("eve", 0) == 0;
  eve ? exchange.Answer(500, "") : exchange.Answer(200, R"({"results":[]})");
}

v1::SearchRequest SearchFor(const std::string& user) {
  v1::SearchRequest request;
  request.set_user(user);
  request.set_query("budget");
  return request;
}

Prepare Bearing(const std::string& token) {
  return [token](grpc::ClientContext& context) { context.AddMetadata("authorization", "Bearer " + token); };
}

// Makes Searches that fail until some of them are held back, and then these Searches, all of which iGPT answers.
void ExpectUnharmed(Igptd& igptd, const std::function<grpc::Status(int)>& failing,
                    const std::function<grpc::Status(int)>& good) {
  constexpr int kFailing = 2000;
  constexpr int kGood = 100;
  igptd.upstream.OnRequest(FailEve);
  for (int i = 0; i < kFailing; ++i) EXPECT_FALSE(failing(i).ok());
  EXPECT_GT(igptd.Metrics().at("igptd_upstream_held_back_total"), 0);
  for (int i = 0; i < kGood; ++i) {
    EXPECT_THAT(good(i), IsOkStatus());
    EXPECT_FALSE(failing(i).ok());
  }
}

TEST(ThrottleTest, Row72_AUsersFailuresHoldBackNoOtherUser) {
  Igptd igptd;
  ExpectUnharmed(
      igptd, [&](int) { return igptd.Search(SearchFor("eve")).status; },
      [&](int) { return igptd.Search(SearchFor("ada")).status; });
}

// Not even if it does everything to look like many.
TEST(ThrottleTest, Row72_ACallersFailuresHoldBackNoOtherCaller) {
  const ScratchDirectory directory;
  // The hashes are from sha256sum.
  const std::string callers = directory.Write("callers", R"({"callers": [
    {"name": "billing", "users": {"any": true},
     "token_sha256": ["d3e29eddf29dd9c94a1348cd129821bb75241e08815de8b7dc2133c4cd800da2"]},
    {"name": "search", "users": {"any": true},
     "token_sha256": ["6feafeaa604a5bb41c107496d30f4cdbe9a0d25131891e8620087b07e42a11ba"]}]})");
  Igptd igptd({"--callers_file=" + callers});
  const Prepare billing = Bearing("canary-token-of-billing");
  const Prepare search = Bearing("canary-token-of-search");
  ExpectUnharmed(
      igptd, [&](int i) { return igptd.Search(SearchFor("eve" + std::to_string(i)), search).status; },
      [&](int i) { return igptd.Search(SearchFor("ada" + std::to_string(i)), billing).status; });
}

}  // namespace
}  // namespace igpt::testing
