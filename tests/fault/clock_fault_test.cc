// The machine's clock is set while igptd serves: whatever measures time must not notice.
#include <poll.h>
#include <sys/socket.h>

#include <csignal>
#include <future>
#include <string>
#include <string_view>
#include <vector>

#include "igpt/monotonic_time.h"
#include "igpt/testing/internal/await_fd.h"
#include "tests/fault/fault_case.h"
#include "tests/support/http_client.h"
#include "tests/support/loopback.h"
#include "tests/support/stepped_clock.h"

namespace igpt::testing {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Le;

// After this long, code that goes by the wall clock has noticed: Abseil's clock follows within two seconds.
constexpr absl::Duration kNoticed = absl::Seconds(3);

std::vector<std::string> Environment(const SteppedClock& clock) {
  std::vector<std::string> environment = clock.Environment();
  environment.push_back(std::string("IGPT_API_KEY=") + kKey);
  return environment;
}

// How a call ended whose caller has no clock of its own, so that only igptd can tell when its deadline passes.
struct Ended {
  std::string code;  // grpc-status
  absl::Duration took;
};
Ended Search(const Igptd& igptd, const std::string& timeout) {
  const std::string message = R"(ada)";
  std::string body = {0, 0, 0, 0, static_cast<char>(message.size() + 2)};
  body += "\n" + std::string(1, static_cast<char>(message.size())) + message;
  const MonotonicTime start = MonotonicTime::Now();
  const HttpReply reply =
      HttpClient(HttpVersion::kHttp2)
          .Post("http://" + igptd.process->address() + "/igpt.v1.RecallService/Search",
                {{"Content-Type", "application/grpc"}, {"TE", "trailers"}, {"grpc-timeout", timeout}}, body);
  return {reply.Header("grpc-status"), MonotonicTime::Now() - start};
}

// Answers with `status` once `event` has happened.
Handler AnswerAfter(const Event& event, int status, const std::string& body) {
  return [&event, status, body](Exchange& exchange) {
    exchange.WaitFor(event);
    exchange.Answer(status, body);
  };
}

class ClockTest : public ::testing::TestWithParam<int> {
 protected:
  absl::Duration step() const { return absl::Seconds(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Steps, ClockTest, ::testing::Values(-10, 10, -3600, 3600), [](const auto& step) {
  const int seconds = step.param;
  return std::string(seconds < 0 ? "Back" : "Forward") + std::to_string(std::abs(seconds));
});

TEST_P(ClockTest, Row60_CallsRunOnAndDeadlinesKeepTheirTime) {
  constexpr int kStreams = 4;
  SteppedClock clock;
  Event stepped, go_on;
  Igptd igptd({"--idle_timeout=60s"}, Environment(clock));
  const MonotonicTime start = MonotonicTime::Now();

  std::vector<std::future<Stream>> streams;
  for (int i = 0; i < kStreams; ++i) {
    igptd.upstream.OnNextRequest(RunUntil(go_on));
    streams.push_back(std::async(std::launch::async, [&] { return igptd.Ask(AskFor("ada", "How long?")); }));
    ASSERT_TRUE(igptd.upstream.AwaitRequests(static_cast<size_t>(i) + 1));
  }
  igptd.upstream.OnNextRequest([&go_on](Exchange& exchange) { exchange.WaitFor(go_on); });
  auto late = std::async(std::launch::async, [&] { return Search(igptd, "3S"); });
  ASSERT_TRUE(igptd.upstream.AwaitRequests(kStreams + 1));
  igptd.upstream.OnNextRequest(AnswerAfter(stepped, 503, "{}"));
  auto retried = std::async(std::launch::async, [&] { return Search(igptd, "30S"); });
  ASSERT_TRUE(igptd.upstream.AwaitRequests(kStreams + 2));
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"results":[]})"); });

  clock.Step(step());
  stepped.Set();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Search(igptd, "30S").code, "0");
  EXPECT_EQ(retried.get().code, "0");
  const Ended ended = late.get();
  EXPECT_EQ(ended.code, std::to_string(StatusCode::DEADLINE_EXCEEDED));
  EXPECT_THAT(ended.took, AllOf(Ge(kNoticed - absl::Milliseconds(50)), Le(kNoticed + kWaitLimit / 2)));
  go_on.Set();
  for (std::future<Stream>& stream : streams) EXPECT_THAT(stream.get().status, IsOkStatus());

  const absl::Duration longest = MonotonicTime::Now() - start;
  for (const auto& [series, value] : igptd.MetricsAtRest()) {
    if (series.find("_seconds_sum") == series.npos) continue;
    EXPECT_THAT(value, AllOf(Ge(0), Le(absl::ToDoubleSeconds(10 * longest)))) << series;
  }
  EXPECT_EQ(igptd.Metrics()["igptd_connections_cut_off_total"], 0);
  igptd.Stop();
  for (const nlohmann::json& line : igptd.CallLines()) {
    for (const char* field : {"duration_ms", "first_event_ms"}) {
      EXPECT_THAT(line.value(field, 0.0), AllOf(Ge(0), Le(absl::ToDoubleMilliseconds(longest)))) << line;
    }
  }
}

TEST_P(ClockTest, Row60_AdminRequestsAreAwaited) {
  SteppedClock clock;
  Igptd igptd({}, Environment(clock));
  const std::string admin = igptd.process->admin_address();
  const UniqueFd socket = ConnectToLoopback(std::stoi(admin.substr(admin.find(':') + 1)));
  const auto send = [&](std::string_view text) { return ::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL); };
  ASSERT_GT(send("GET /healthz HTTP/1.1\r\n"), 0);
  clock.Step(step());
  // Not for longer than a request may take: 2 s.
  EXPECT_FALSE(AwaitFd(socket.get(), POLLIN, absl::Milliseconds(700))) << "given up";
  send("Host: ");
  EXPECT_FALSE(AwaitFd(socket.get(), POLLIN, absl::Milliseconds(300))) << "given up";
  send("igptd\r\n\r\n");
  std::string reply(12, '\0');
  ASSERT_TRUE(AwaitFd(socket.get(), POLLIN, kWaitLimit));
  EXPECT_EQ(::recv(socket.get(), reply.data(), reply.size(), MSG_WAITALL), 12);
  EXPECT_EQ(reply, "HTTP/1.1 200");
}

TEST_P(ClockTest, Row60_TheDrainWaitsForItsCalls) {
  SteppedClock clock;
  Event go_on;
  Igptd igptd({"--drain_timeout=60s"}, Environment(clock));
  igptd.upstream.OnNextRequest(RunUntil(go_on));
  auto stream = std::async(std::launch::async, [&] { return igptd.Ask(AskFor("ada", "How long?")); });
  ASSERT_TRUE(igptd.upstream.AwaitRequests(1));
  igptd.process->Signal(SIGTERM);
  ASSERT_TRUE(igptd.process->AwaitStderr("draining"));
  clock.Step(step());
  EXPECT_EQ(igptd.process->AwaitExit(kNoticed), std::nullopt);
  go_on.Set();
  EXPECT_THAT(stream.get().status, IsOkStatus());
  EXPECT_EQ(igptd.process->AwaitExit(), 0);
}

// gRPC's own clients send at most 27000H, but for Go's.
TEST(ClockFaultTest, Row13_DeadlinesBeyondTheYear2262) {
  Igptd igptd;
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"results":[]})"); });
  for (const char* timeout : {"27000H", "2069999H", "2070000H", "2562047H", "99999999H", "99999999M", "99999999S"}) {
    EXPECT_EQ(Search(igptd, timeout).code, "0") << timeout;
  }
}

}  // namespace
}  // namespace igpt::testing
