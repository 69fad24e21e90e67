// Where the sandbox listens.
#include <string>

#include "tests/integration/sandbox/sandbox_fixture.h"
#include "tests/support/thread_signals.h"

namespace igptd::sandbox {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

TEST(SandboxStartTest, SaysWhyItCannotListen) {
  const auto first = Sandbox::Start({"127.0.0.1:0", false});
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string url = (*first)->base_url();
  const std::string address = url.substr(7, url.size() - 7 - 3);
  const absl::Status taken = Sandbox::Start({address, false}).status();
  EXPECT_EQ(taken.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(taken.message()), StartsWith("cannot listen on " + address + ": Address already in use"));
  EXPECT_THAT(std::string(taken.message()), HasSubstr("choose another port"));
  for (const char* bad : {"", "127.0.0.1", ":1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1"}) {
    EXPECT_EQ(Sandbox::Start({bad, false}).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
  EXPECT_EQ(Sandbox::Start({"203.0.113.7:0", false}).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(SandboxStartTest, ListensAgainWhereItDid) {
  std::string address;
  {
    const auto first = Sandbox::Start({"127.0.0.1:0", false});
    ASSERT_TRUE(first.ok());
    address = (*first)->base_url().substr(7);
    address.resize(address.size() - 3);
    HttpClient().Get("http://" + address);  // leaves a connection in TIME_WAIT
  }
  EXPECT_TRUE(Sandbox::Start({address, false}).ok());
}

// It may be a guest in a program that waits for signals.
TEST(SandboxStartTest, ItsThreadsTakeNoSignals) {
  const auto sandbox = Sandbox::Start();
  ASSERT_TRUE(sandbox.ok());
  HttpClient client;
  client.Get((*sandbox)->base_url());  // and keeps the connection
  igpt::testing::ExpectOtherThreadsTakeNoSignals();
}

TEST(SandboxStartTest, NamesAnAddressThatCanBeReached) {
  const auto sandbox = Sandbox::Start({"0.0.0.0:0", false});
  ASSERT_TRUE(sandbox.ok());
  EXPECT_THAT((*sandbox)->base_url(), MatchesRegex("http://127.0.0.1:[0-9]+/v1"));
}

}  // namespace
}  // namespace igptd::sandbox
