// The process runs out of something, or the other side of what it writes to is gone without a word.
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/hostile/attack.h"
#include "tests/hostile/http2_client.h"
#include "tests/hostile/memory.h"
#include "tests/support/unique_fd.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using grpc::StatusCode;

// Row 40's time, and what it takes on a machine that does other things too.
constexpr absl::Duration kRelief = absl::Seconds(5);

// What keepalive needs (15 s and 10 s), and a little more. Row 11.
constexpr absl::Duration kVanishedLimit = absl::Seconds(30);

TEST(IgptdResourcesTest, WithoutFileDescriptorsItShedsAndRecovers) {
  Igptd igptd({"--max_retries=1"});
  igptd.upstream.OnRequest(AnswerAtOnce);
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, IsOkStatus());
  const pid_t pid = igptd.process->pid();
  const rlim_t few = OpenDescriptors(pid) + 20;
  const rlimit limit = {few, few};
  ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, &limit, nullptr), 0);

  std::vector<std::unique_ptr<Http2Client>> idle;
  for (int i = 0; i < 60; ++i) {
    idle.push_back(std::make_unique<Http2Client>(igptd.process->address()));
    idle.back()->Flush();
  }
  const auto full = [&] { return OpenDescriptors(pid) + 1 >= few; };
  for (const absl::Time end = absl::Now() + kWaitLimit; !full() && absl::Now() < end;) {
    absl::SleepFor(absl::Milliseconds(10));
  }
  ASSERT_TRUE(full());
  // A caller on a connection that was there before: what it asks for needs another descriptor, or a pooled connection.
  const Stream stream = igptd.Ask(AskFor("ada", "?"));
  EXPECT_TRUE(stream.status.ok() || stream.status.error_code() == StatusCode::UNAVAILABLE)
      << stream.status.error_message();

  idle.clear();
  const absl::Time relieved = absl::Now();
  const auto stub = v1::RecallService::NewStub(igptd.NewChannel());
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(absl::ToChronoTime(relieved + kRelief));
  EXPECT_THAT(ReadAll(context, *stub->Ask(&context, AskFor("ada", "?"))).status, IsOkStatus());
}

// The socket stays open, but nobody looks at it any more.
TEST(IgptdResourcesTest, AClientThatVanishedIsFound) {
  Igptd igptd;
  igptd.upstream.OnRequest([](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(kRunStart);
    exchange.Stall();
  });
  Http2Client client(igptd.process->address(), {.answer_pings = false});
  client.Message(client.Open(kAskPath), AskFor("ada", "?").SerializeAsString());
  ASSERT_TRUE(client.Await([&] { return client.data_bytes() > 0; }));
  const absl::Time vanished = absl::Now();
  EXPECT_TRUE(igptd.upstream.AwaitClosed(1, 2 * kVanishedLimit));
  EXPECT_LE(absl::Now() - vanished, kVanishedLimit);
}

// igptd with its stderr on a pipe that nobody reads.
TEST(IgptdResourcesTest, ALogThatNobodyReadsHoldsUpNothing) {
  std::string directory = ::testing::TempDir() + "blocked-log-XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  const std::string pipe = directory + "/stderr";
  const std::string wrapper = directory + "/igptd";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const UniqueFd end(::open(pipe.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  ::fcntl(end.get(), F_SETPIPE_SZ, 4096);
  const char* binary = std::getenv("IGPTD_BINARY");
  ASSERT_NE(binary, nullptr);
  const std::string saved = binary;
  std::ofstream(wrapper) << "#!/bin/sh\nexec '" << saved << "' \"$@\" 2>'" << pipe << "'\n";
  ASSERT_EQ(::chmod(wrapper.c_str(), 0700), 0);
  ::setenv("IGPTD_BINARY", wrapper.c_str(), 1);
  {
    Igptd igptd;
    ::setenv("IGPTD_BINARY", saved.c_str(), 1);
    igptd.upstream.OnRequest(AnswerAtOnce);
    for (int i = 0; i < 200; ++i) {
      const Stream stream = igptd.Ask(AskFor("ada", "?"));
      ASSERT_TRUE(stream.status.ok()) << i << stream.status.error_message();
    }
    EXPECT_FALSE(AwaitFd(end.get(), POLLOUT, absl::ZeroDuration()));  // it is full
    igptd.Stop();                                                     // expects exit code 0
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace igpt::testing
