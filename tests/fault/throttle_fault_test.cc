// A long outage of iGPT: igptd holds back requests, and sends them again when the outage is over.
#include <atomic>
#include <cstdio>
#include <string>

#include "absl/time/clock.h"
#include "tests/fault/fault_case.h"

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

}  // namespace
}  // namespace igpt::testing
