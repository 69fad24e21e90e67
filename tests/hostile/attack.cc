#include "tests/hostile/attack.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/support/memory.h"

namespace igpt::testing {
namespace {

// Without the guard, a flood of resets makes other callers wait until it is over: more than 20 s.
constexpr absl::Duration kBearable = absl::Seconds(5);

// The minimum of calls that the neighbour makes before the attack, and again after it.
constexpr int kCallsAround = 20;

class Neighbour {
 public:
  explicit Neighbour(Igptd& igptd) : stub_(igpt::v1::RecallService::NewStub(igptd.NewChannel())) {}

  void Ask() {
    grpc::ClientContext context;
    const absl::Time start = absl::Now();
    const Stream stream = ReadAll(context, *stub_->Ask(&context, AskFor("neighbour", "?")));
    slowest = std::max(slowest, absl::Now() - start);
    ++asks;
    if (!stream.status.ok()) failures.push_back(stream.status);
  }

  int asks = 0;
  absl::Duration slowest;
  std::vector<grpc::Status> failures;

 private:
  const std::unique_ptr<igpt::v1::RecallService::Stub> stub_;
};

}  // namespace

void AnswerAtOnce(Exchange& exchange) {
  exchange.StartSse();
  exchange.SendSse(kRunStart);
  exchange.SendSse(kRunDone);
  exchange.EndChunked();
}

Http2Client::Behaviour Attacker(Http2Client::Behaviour behaviour) {
  static std::atomic<int> attackers = 0;
  const int number = 2 + attackers++;
  behaviour.source = absl::StrCat("127.0.", number / 250, ".", 2 + number % 250);
  return behaviour;
}

std::string MessageHead(size_t bytes) {
  std::string head(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) head.push_back(static_cast<char>(bytes >> shift));
  return head;
}

void LimitDescriptors(pid_t pid, rlim_t count) {
  const rlimit limit = {count, count};
  ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, &limit, nullptr), 0);
}

AttackResult Attack(Igptd& igptd, const std::function<void()>& attack) {
  Neighbour neighbour(igptd);
  const size_t requests_before = igptd.upstream.requests().size();
  for (int i = 0; i < kCallsAround; ++i) neighbour.Ask();
  const pid_t pid = igptd.process->pid();
  const size_t before = ResidentMemory(pid);
  ForgetPeakMemory(pid);
  std::atomic<bool> over = false;
  std::thread asking([&] {
    while (!over) neighbour.Ask();
  });
  attack();
  over = true;
  asking.join();
  for (int i = 0; i < kCallsAround; ++i) neighbour.Ask();
  AttackResult result;
  result.grown = PeakMemory(pid) - std::min(before, PeakMemory(pid));
  result.neighbour_asks = neighbour.asks;
  result.neighbour_failures = neighbour.failures;
  result.slowest = neighbour.slowest;
  result.upstream_requests = igptd.upstream.requests().size() - requests_before - static_cast<size_t>(neighbour.asks);
  ::testing::Test::RecordProperty("grown_mib", static_cast<int>(result.grown >> 20));
  ::testing::Test::RecordProperty("slowest_ms", static_cast<int>(absl::ToInt64Milliseconds(result.slowest)));
  return result;
}

void ExpectHarmless(const AttackResult& result, size_t bytes) {
  EXPECT_LT(result.grown >> 20, bytes >> 20) << "MiB";
  EXPECT_LT(result.slowest, kBearable);
  for (const grpc::Status& status : result.neighbour_failures) ADD_FAILURE() << status.error_message();
}

}  // namespace igpt::testing
