// The process runs out of something, or the other side of what it writes to is gone without a word.
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
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

// An igptd with its stderr on a small pipe, which is read when the test says so.
class IgptdOnAPipe {
 public:
  IgptdOnAPipe() : directory_(::testing::TempDir() + "blocked-log-XXXXXX") {
    EXPECT_NE(::mkdtemp(directory_.data()), nullptr);
    const std::string pipe = directory_ + "/stderr";
    const std::string wrapper = directory_ + "/igptd";
    EXPECT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    end_ = UniqueFd(::open(pipe.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
    ::fcntl(end_.get(), F_SETPIPE_SZ, 4096);
    const char* binary = std::getenv("IGPTD_BINARY");
    const std::string saved = binary == nullptr ? "IGPTD_BINARY is not set" : binary;
    std::ofstream(wrapper) << "#!/bin/sh\nexec '" << saved << "' \"$@\" 2>'" << pipe << "'\n";
    EXPECT_EQ(::chmod(wrapper.c_str(), 0700), 0);
    ::setenv("IGPTD_BINARY", wrapper.c_str(), 1);
    igptd_.emplace(std::vector<std::string>{"--log_format=json"});
    ::setenv("IGPTD_BINARY", saved.c_str(), 1);
  }
  ~IgptdOnAPipe() {
    igptd_.reset();
    std::filesystem::remove_all(directory_);
  }

  Igptd& igptd() { return *igptd_; }

  // False when the pipe doesn't get full.
  bool AwaitFull() const {
    for (const absl::Time end = absl::Now() + kWaitLimit; absl::Now() < end;) {
      if (!AwaitFd(end_.get(), POLLOUT, absl::ZeroDuration())) return true;
      absl::SleepFor(absl::Milliseconds(10));
    }
    return false;
  }

  // Reads what is in the pipe, and what comes until `text` was in it. False when it doesn't come.
  bool ReadUntil(std::string_view text) {
    for (const absl::Time end = absl::Now() + kWaitLimit; absl::Now() < end;) {
      ReadAll();
      if (log_.find(text) != std::string::npos) return true;
      (void)AwaitFd(end_.get(), POLLIN, end - absl::Now());
    }
    return false;
  }

  // What was read, line by line.
  std::vector<nlohmann::json> Lines() const {
    std::vector<nlohmann::json> lines;
    std::istringstream log(log_);
    for (std::string line; std::getline(log, line);) {
      lines.push_back(nlohmann::json::parse(line, /*cb=*/nullptr, /*allow_exceptions=*/false));
      EXPECT_TRUE(lines.back().is_object()) << line;
    }
    return lines;
  }

 private:
  void ReadAll() {
    char bytes[4096];
    for (ssize_t size; (size = ::read(end_.get(), bytes, sizeof(bytes))) > 0;) {
      log_.append(bytes, static_cast<size_t>(size));
    }
  }

  std::string directory_;
  UniqueFd end_;
  std::optional<Igptd> igptd_;
  std::string log_;
};

TEST(IgptdResourcesTest, ALogThatNobodyReadsHoldsUpNothing) {
  IgptdOnAPipe pipe;
  Igptd& igptd = pipe.igptd();
  igptd.upstream.OnRequest(AnswerAtOnce);
  for (int i = 0; i < 200; ++i) {
    const Stream stream = igptd.Ask(AskFor("ada", "?"));
    ASSERT_TRUE(stream.status.ok()) << i << stream.status.error_message();
  }
  EXPECT_TRUE(pipe.AwaitFull());
  igptd.Stop();  // expects exit code 0
}

// Far more calls than lines can wait: each is in the log, or among those that it says were dropped.
TEST(IgptdResourcesTest, LinesThatHadToBeDroppedAreCounted) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 3000;
  IgptdOnAPipe pipe;
  Igptd& igptd = pipe.igptd();
  std::vector<std::thread> threads;
  std::atomic<int> refused = 0;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kCalls; ++j) {
        if (igptd.List({}).status.error_code() == StatusCode::INVALID_ARGUMENT) ++refused;  // no user
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(refused, kThreads * kCalls);
  EXPECT_TRUE(pipe.AwaitFull());

  ASSERT_TRUE(pipe.ReadUntil("log lines were dropped"));
  igptd.process->Signal(SIGTERM);
  ASSERT_TRUE(pipe.ReadUntil("\"stopped\""));
  int calls = 0;
  int dropped = 0;
  for (const nlohmann::json& line : pipe.Lines()) {
    if (line.value("message", "") == "call") ++calls;
    if (line.value("message", "") == "log lines were dropped") dropped += line.value("lines", 0);
  }
  EXPECT_GT(dropped, 0);
  EXPECT_EQ(calls + dropped, kThreads * kCalls);
}

}  // namespace
}  // namespace igpt::testing
