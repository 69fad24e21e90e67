#include "service/rpc/receiving.h"

#include <memory>
#include <vector>

#include "gtest/gtest.h"

namespace igptd::rpc {
namespace {

// The requests of one caller, in the order in which they came; each notes when it starts.
class Requests {
 public:
  explicit Requests(Receiving& receiving) : receiving_(receiving) {}

  void Add(const std::string& caller, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      places_.push_back(std::make_unique<Receiving::Place>());
      started_.push_back(false);
      places_.back()->Enter(receiving_, caller, [this, number = started_.size() - 1] { started_[number] = true; });
    }
  }
  void Leave(size_t number) { places_[number]->Leave(); }
  bool started(size_t number) const { return started_[number]; }
  size_t count_started() const {
    size_t count = 0;
    for (const bool each : started_) count += each ? 1 : 0;
    return count;
  }

 private:
  Receiving& receiving_;
  std::vector<bool> started_;
  std::vector<std::unique_ptr<Receiving::Place>> places_;
};

TEST(ReceivingTest, ACallersRequestsTakeTurns) {
  Receiving receiving;
  Requests requests(receiving);
  requests.Add("ada", kReceivedAtOnce + 2);
  EXPECT_EQ(requests.count_started(), kReceivedAtOnce);
  requests.Leave(3);
  EXPECT_TRUE(requests.started(kReceivedAtOnce));
  EXPECT_FALSE(requests.started(kReceivedAtOnce + 1));
  requests.Leave(kReceivedAtOnce);
  EXPECT_TRUE(requests.started(kReceivedAtOnce + 1));
}

TEST(ReceivingTest, NobodyWaitsForOthers) {
  Receiving receiving;
  Requests ada(receiving);
  ada.Add("ada", 2 * kReceivedAtOnce);
  Requests grace(receiving);
  grace.Add("grace", 1);
  EXPECT_TRUE(grace.started(0));
}

TEST(ReceivingTest, WhoLeavesTheQueueNeverStarts) {
  Receiving receiving;
  Requests requests(receiving);
  requests.Add("ada", kReceivedAtOnce + 2);
  requests.Leave(kReceivedAtOnce);
  requests.Leave(0);
  EXPECT_FALSE(requests.started(kReceivedAtOnce));
  EXPECT_TRUE(requests.started(kReceivedAtOnce + 1));
}

TEST(ReceivingTest, LeavingTwiceIsLeavingOnce) {
  Receiving receiving;
  Requests requests(receiving);
  requests.Add("ada", kReceivedAtOnce + 2);
  requests.Leave(0);
  requests.Leave(0);
  EXPECT_EQ(requests.count_started(), kReceivedAtOnce + 1);
}

}  // namespace
}  // namespace igptd::rpc
