#include "service/edge/listener.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "igpt/testing/internal/unique_fd.h"
#include "tests/support/loopback.h"
#include "tests/support/matchers.h"

namespace igptd {
namespace {

using igpt::testing::ConnectToLoopback;
using igpt::testing::UniqueFd;
using ::testing::HasSubstr;

constexpr std::chrono::seconds kLong{60};

// Records a listener's events.
class Told {
 public:
  Listener::Events Events() {
    return {.accepted =
                [this](int fd, int /*listening_fd*/) {
                  const std::lock_guard lock(mutex_);
                  accepted_.emplace_back(fd);
                  changed_.notify_all();
                },
            .opened =
                [this](const std::shared_ptr<CallerConnection>& connection) {
                  const std::lock_guard lock(mutex_);
                  opened_.push_back(connection);
                },
            .closed =
                [this](const std::shared_ptr<CallerConnection>& connection) {
                  const std::lock_guard lock(mutex_);
                  closed_.push_back(connection);
                  changed_.notify_all();
                }};
  }

  // Waits until this many were accepted.
  bool Accepted(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kLong, [&] { return accepted_.size() >= count; });
  }
  bool Closed(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kLong, [&] { return closed_.size() >= count; });
  }

  // Must not be called while connections are being accepted.
  std::vector<UniqueFd>& accepted() { return accepted_; }
  std::vector<std::shared_ptr<CallerConnection>> opened() const {
    const std::lock_guard lock(mutex_);
    return opened_;
  }
  std::vector<std::shared_ptr<CallerConnection>> closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<UniqueFd> accepted_;
  std::vector<std::shared_ptr<CallerConnection>> opened_;
  std::vector<std::shared_ptr<CallerConnection>> closed_;
};

std::string LocalName(const UniqueFd& fd) {
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return PeerName(address);
}

TEST(ListenerTest, TellsOfConnectionsAsTheyComeAndGo) {
  Told told;
  const auto listener = Listener::Listen("127.0.0.1:0");
  ASSERT_TRUE(listener.ok()) << listener.status();
  (*listener)->Start(told.Events());
  UniqueFd caller = ConnectToLoopback((*listener)->port());
  ASSERT_TRUE(told.Accepted(1));
  ASSERT_EQ(told.opened().size(), 1U);
  EXPECT_EQ(told.opened()[0]->peer(), LocalName(caller));
  EXPECT_NE(told.opened()[0]->fd(), told.accepted()[0].get());

  // The end of one direction is not the end of the connection: a caller may have sent everything and still read.
  ASSERT_EQ(shutdown(caller.get(), SHUT_WR), 0);
  const UniqueFd other = ConnectToLoopback((*listener)->port());
  ASSERT_TRUE(told.Accepted(2));
  EXPECT_TRUE(told.closed().empty());

  shutdown(told.accepted()[0].get(), SHUT_RDWR);  // as gRPC does before it closes
  ASSERT_TRUE(told.Closed(1));
  EXPECT_EQ(told.closed()[0], told.opened()[0]);
}

TEST(ListenerTest, AResetIsAnEnd) {
  Told told;
  const auto listener = Listener::Listen("127.0.0.1:0");
  ASSERT_TRUE(listener.ok()) << listener.status();
  (*listener)->Start(told.Events());
  UniqueFd caller = ConnectToLoopback((*listener)->port());
  ASSERT_TRUE(told.Accepted(1));
  const linger reset = {.l_onoff = 1, .l_linger = 0};
  setsockopt(caller.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  caller.Close();
  EXPECT_TRUE(told.Closed(1));
}

TEST(ListenerTest, ConnectionsWaitForTheStart) {
  Told told;
  const auto listener = Listener::Listen("127.0.0.1:0");
  ASSERT_TRUE(listener.ok()) << listener.status();
  const UniqueFd early = ConnectToLoopback((*listener)->port());
  EXPECT_GE(early.get(), 0);
  (*listener)->Start(told.Events());
  EXPECT_TRUE(told.Accepted(1));
}

TEST(ListenerTest, RefusesAfterItWasStopped) {
  Told told;
  const auto listener = Listener::Listen("127.0.0.1:0");
  ASSERT_TRUE(listener.ok()) << listener.status();
  (*listener)->Start(told.Events());
  const UniqueFd caller = ConnectToLoopback((*listener)->port());
  ASSERT_TRUE(told.Accepted(1));
  (*listener)->Stop();
  EXPECT_LT(ConnectToLoopback((*listener)->port()).get(), 0);
  shutdown(told.accepted()[0].get(), SHUT_RDWR);
  EXPECT_TRUE(told.Closed(1));  // open connections are still watched
}

TEST(ListenerTest, RefusesWhenItNeverStarted) {
  const auto listener = Listener::Listen("127.0.0.1:0");
  ASSERT_TRUE(listener.ok()) << listener.status();
  (*listener)->Stop();
  EXPECT_LT(ConnectToLoopback((*listener)->port()).get(), 0);
}

TEST(ListenerTest, ListensOnAllAddressesOfAName) {
  const auto listener = Listener::Listen("localhost:0");
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_GE(ConnectToLoopback((*listener)->port()).get(), 0);
}

TEST(ListenerTest, APortInUseIsAnErrorThatNamesTheAddress) {
  const auto first = Listener::Listen("127.0.0.1:0");
  ASSERT_TRUE(first.ok()) << first.status();
  for (const char* host : {"127.0.0.1", "0.0.0.0"}) {
    const std::string address = absl::StrCat(host, ":", (*first)->port());
    const auto second = Listener::Listen(address);
    EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable) << address;
    EXPECT_THAT(std::string(second.status().message()), HasSubstr(address));
    EXPECT_THAT(std::string(second.status().message()), HasSubstr("in use"));
  }
}

TEST(ListenerTest, AnAddressOfAnotherMachineIsAnError) {
  EXPECT_EQ(Listener::Listen("192.0.2.1:0").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Listener::Listen("no-such-host.invalid:0").status().code(), absl::StatusCode::kUnavailable);
}

// gRPC's own listener stops for good after a shortage of file descriptors.
TEST(ListenerTest, GoesOnAfterAShortageOfDescriptors) {
  Told told;
  const auto listener = Listener::Listen("127.0.0.1:0");
  ASSERT_TRUE(listener.ok()) << listener.status();
  (*listener)->Start(told.Events());
  const UniqueFd before = ConnectToLoopback((*listener)->port());
  ASSERT_TRUE(told.Accepted(1));

  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  std::vector<UniqueFd> callers;
  for (int i = 0; i < 4; ++i) callers.emplace_back(socket(AF_INET, SOCK_STREAM, 0));
  rlimit none = limit;
  none.rlim_cur = 0;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>((*listener)->port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (const UniqueFd& caller : callers) {
    EXPECT_EQ(connect(caller.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  EXPECT_EQ(told.accepted().size(), 1U);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_TRUE(told.Accepted(5));
}

}  // namespace
}  // namespace igptd
