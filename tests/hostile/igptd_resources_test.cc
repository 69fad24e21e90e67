// The process runs out of a resource, or the reader of what it writes is gone or stuck.
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "gtest/gtest.h"
#include "igpt/testing/internal/await_fd.h"
#include "igpt/testing/internal/unique_fd.h"
#include "tests/hostile/attack.h"
#include "tests/hostile/bounds.h"
#include "tests/support/await.h"
#include "tests/support/http2_client.h"
#include "tests/support/memory.h"
#include "tests/support/scratch.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using grpc::StatusCode;

// Row 40's limit, with a margin for busy machines.
constexpr absl::Duration kRelief = absl::Seconds(5);

// Keepalive's 15 s and 10 s, plus a margin. Row 11.
constexpr absl::Duration kVanishedLimit = absl::Seconds(30);

std::string LimitOf(const grpc::Status& status) {
  const ErrorDetails details = DetailsOf(status);
  const auto found = details.info.metadata().find("limit");
  return found == details.info.metadata().end() ? "" : found->second;
}

// Asks again and again until a call ends as `is_so` says. Returns false if `limit` passes first.
bool AskUntil(Igptd& igptd, absl::Duration limit, const std::function<bool(const grpc::Status&)>& is_so) {
  const auto stub = v1::RecallService::NewStub(igptd.NewChannel());
  for (const absl::Time end = absl::Now() + limit; absl::Now() < end; absl::SleepFor(absl::Milliseconds(10))) {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    context.set_deadline(absl::ToChronoTime(end));
    if (is_so(ReadAll(context, *stub->Ask(&context, AskFor("ada", "?"))).status)) return true;
  }
  return false;
}
bool IsServed(const grpc::Status& status) {
  return status.ok();
}

// Waits until health checks report `serving`.
bool AwaitServing(Igptd& igptd, bool serving) {
  using grpc::health::v1::HealthCheckResponse;
  const auto health = grpc::health::v1::Health::NewStub(igptd.channel);
  for (const absl::Time end = absl::Now() + kWaitLimit; absl::Now() < end; absl::SleepFor(absl::Milliseconds(10))) {
    grpc::ClientContext context;
    HealthCheckResponse response;
    if (!health->Check(&context, {}, &response).ok()) return false;
    if ((response.status() == HealthCheckResponse::SERVING) == serving) return true;
  }
  return false;
}

// A call that stays, on a connection of its own and from an address of its own.
std::unique_ptr<Http2Client> StayingCall(Igptd& igptd) {
  auto client = std::make_unique<Http2Client>(igptd.process->address(), Attacker());
  client->Message(client->Open(kAskPath), AskFor("ada", "stay").SerializeAsString());
  (void)client->Flush();
  return client;
}

void AnswerOrStay(Exchange& exchange) {
  if (exchange.request().body.find("stay") == std::string::npos) return AnswerAtOnce(exchange);
  exchange.Stall();
}

TEST(IgptdResourcesTest, ItShedsBeforeFileDescriptorsRunOut) {
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerOrStay);
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, IsOkStatus());
  const pid_t pid = igptd.process->pid();
  const rlim_t few = 2 * OpenDescriptors(pid);
  LimitDescriptors(pid, few);
  EXPECT_TRUE(AwaitServing(igptd, true));

  // Calls use up the file descriptors, more slowly than igptd measures them.
  std::vector<std::unique_ptr<Http2Client>> calls;
  grpc::Status status;
  for (int i = 0; i < 1000 && status.ok(); ++i) {
    calls.push_back(StayingCall(igptd));
    absl::SleepFor(absl::Milliseconds(150));
    status = igptd.Ask(AskFor("ada", "?")).status;
  }
  EXPECT_THAT(status, FailsWith(StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"));
  EXPECT_EQ(LimitOf(status), "file_descriptors");
  EXPECT_LT(OpenDescriptors(pid), few);  // some are left
  EXPECT_TRUE(AwaitServing(igptd, false));

  calls.clear();
  EXPECT_TRUE(AskUntil(igptd, kRelief, IsServed));
  EXPECT_TRUE(AwaitServing(igptd, true));
}

TEST(IgptdResourcesTest, WithoutFileDescriptorsItShedsAndRecovers) {
  Igptd igptd({"--max_retries=1"});
  igptd.upstream.OnRequest(AnswerOrStay);
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, IsOkStatus());
  const pid_t pid = igptd.process->pid();
  const rlim_t few = OpenDescriptors(pid) * 3 / 2;
  LimitDescriptors(pid, few);

  std::vector<std::unique_ptr<Http2Client>> calls;
  for (rlim_t i = 0; i < few; ++i) calls.push_back(StayingCall(igptd));
  // A caller on an existing connection. Until the guard measures again, a call may or may not be served, on a pooled
  // connection.
  grpc::Status status;
  for (const absl::Time end = absl::Now() + kWaitLimit; LimitOf(status).empty() && absl::Now() < end;) {
    status = igptd.Ask(AskFor("ada", "?")).status;
    EXPECT_TRUE(status.ok() || status.error_code() == StatusCode::UNAVAILABLE || !LimitOf(status).empty())
        << status.error_message();
  }
  EXPECT_EQ(LimitOf(status), "file_descriptors");

  calls.clear();
  EXPECT_TRUE(AskUntil(igptd, kRelief, IsServed));
}

// Connections without calls take nobody's place, however many there are and from however many addresses.
TEST(IgptdResourcesTest, IdleConnectionsMakeWay) {
  Igptd igptd;
  igptd.upstream.OnRequest(AnswerAtOnce);
  EXPECT_THAT(igptd.Ask(AskFor("ada", "?")).status, IsOkStatus());
  const pid_t pid = igptd.process->pid();
  const rlim_t few = 4 * OpenDescriptors(pid);
  LimitDescriptors(pid, few);
  std::vector<std::unique_ptr<Http2Client>> idle;
  for (rlim_t i = 0; i < few; ++i) {  // each takes two
    idle.push_back(std::make_unique<Http2Client>(igptd.process->address(), Attacker()));
    (void)idle.back()->Flush();
  }
  EXPECT_TRUE(AskUntil(igptd, kRelief, IsServed));
  EXPECT_TRUE(AwaitServing(igptd, true));
  EXPECT_TRUE(igptd.process->AwaitStderr("closed connections without calls"));
}

// An igptd that a shell command runs, which contains "$igptd" "$@". `directory` holds the wrapper script.
std::unique_ptr<Igptd> IgptdRunBy(const ScratchDirectory& directory, const std::string& command) {
  const char* binary = std::getenv("IGPTD_BINARY");
  const std::string saved = binary == nullptr ? "IGPTD_BINARY is not set" : binary;
  const std::string wrapper = directory.Write("igptd", "#!/bin/sh\nigptd='" + saved + "'\nexec " + command + "\n");
  EXPECT_EQ(::chmod(wrapper.c_str(), 0700), 0);
  ::setenv("IGPTD_BINARY", wrapper.c_str(), 1);
  auto igptd = std::make_unique<Igptd>();
  ::setenv("IGPTD_BINARY", saved.c_str(), 1);
  return igptd;
}

std::unique_ptr<Igptd> IgptdWithStderrIn(const ScratchDirectory& directory, const std::string& file) {
  return IgptdRunBy(directory, "\"$igptd\" \"$@\" 2>'" + file + "'");
}

// igptd sees as much memory as a file says.
TEST(IgptdResourcesTest, ItShedsBeforeMemoryRunsOut) {
  if (std::system("unshare --mount --propagation private true 2>/dev/null") != 0) {
    GTEST_SKIP() << "needs the right to mount a file over /proc/meminfo";
  }
  const ScratchDirectory directory;
  const std::string meminfo = directory.File("meminfo");
  // Written in place with a constant length, because igptd can read it at any time.
  const auto set_total = [&meminfo](size_t bytes) {
    std::array<char, 64> line = {};
    const int size = std::snprintf(line.data(), line.size(), "MemTotal: %20zu kB\n", bytes / 1024);
    const UniqueFd file(::open(meminfo.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    ASSERT_EQ(::pwrite(file.get(), line.data(), static_cast<size_t>(size), 0), size);
  };
  set_total(size_t{1} << 40);
  std::atomic<bool> flood = true;
  const std::string mount = "mount --bind " + meminfo + " /proc/meminfo";
  const std::unique_ptr<Igptd> started = IgptdRunBy(
      directory, "unshare --mount --propagation private sh -c '" + mount + " && exec \"$0\" \"$@\"' \"$igptd\" \"$@\"");
  Igptd& igptd = *started;
  igptd.upstream.OnRequest([&](Exchange& exchange) {
    if (!flood) return AnswerAtOnce(exchange);
    exchange.StartSse();
    while (exchange.SendSse(DeltaEvent(1, std::string(60'000, 'a')))) {
    }
  });
  const pid_t pid = igptd.process->pid();
  const size_t before = ResidentMemory(pid);
  const size_t total = 2 * before;
  set_total(total);

  // Streams that nobody reads, each with full buffers, until igptd has no room for another one.
  std::vector<std::unique_ptr<Http2Client>> callers;
  grpc::Status status;
  for (int i = 0; i < 1000 && LimitOf(status).empty(); ++i) {
    callers.push_back(std::make_unique<Http2Client>(igptd.process->address()));
    callers.back()->Message(callers.back()->Open(kAskPath), AskFor("ada", "?").SerializeAsString());
    callers.back()->Flush();
    absl::SleepFor(absl::Milliseconds(20));
    if (i % 10 != 9) continue;
    grpc::ClientContext context;
    const auto reader = igptd.recall->Ask(&context, AskFor("ada", "?"));
    v1::AskResponse event;
    if (reader->Read(&event)) context.TryCancel();
    status = ReadAll(context, *reader).status;
  }
  EXPECT_THAT(status, FailsWith(StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"));
  EXPECT_EQ(LimitOf(status), "memory");
  EXPECT_GE(igptd.Metrics().at(R"(igptd_strain{resource="memory"})"), 1);
  EXPECT_LT(ResidentMemory(pid), total);
  std::printf("%zu MiB of %zu MiB, after %zu streams\n", ResidentMemory(pid) / kMiB, total / kMiB, callers.size());

  // Once they are gone, igptd serves again.
  callers.clear();
  flood = false;
  EXPECT_TRUE(AskUntil(igptd, kWaitLimit, IsServed));
  EXPECT_TRUE(AwaitServing(igptd, true));
  // The freed memory goes back to the kernel; otherwise igptd would allow only a few calls for good.
  EXPECT_TRUE(igptd.process->AwaitStderr(R"("on":"memory","strain":"none")"));
  std::printf("%zu MiB when they are gone\n", ResidentMemory(pid) / kMiB);
}

// In the middle of a stream, when igptd has something to send to it and when it has not.
TEST(IgptdResourcesTest, AClientThatVanishedIsFound) {
  Igptd igptd;
  igptd.upstream.OnRequest([](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(kRunStart);
    if (absl::StrContains(exchange.request().body, "silent")) return exchange.Stall();
    while (exchange.SendSse(DeltaEvent(1, "a"))) {
      absl::SleepFor(absl::Milliseconds(100));
    }
  });
  Http2Client silent(igptd.process->address());
  silent.Message(silent.Open(kAskPath), AskFor("ada", "silent").SerializeAsString());
  ASSERT_TRUE(silent.Await([&] { return silent.data_bytes() > 0; }));
  Http2Client busy(igptd.process->address());
  busy.Message(busy.Open(kAskPath), AskFor("ada", "busy").SerializeAsString());
  ASSERT_TRUE(busy.Await([&] { return busy.data_bytes() > 0; }));
  silent.Vanish();
  busy.Vanish();
  const absl::Time vanished = absl::Now();
  EXPECT_TRUE(igptd.upstream.AwaitClosed(2, 2 * kVanishedLimit));
  EXPECT_TRUE(igptd.upstream.AwaitClosed(1, 2 * kVanishedLimit));
  EXPECT_LE(absl::Now() - vanished, kVanishedLimit);
}

// With windows so large that only TCP holds igptd back. It can't answer pings meanwhile, but its kernel acknowledges.
TEST(IgptdResourcesTest, AReaderThatPausesForLongerThanKeepaliveGoesOn) {
  constexpr size_t kMuch = 64 << 20;
  Event held_back;
  Igptd igptd({"--max_answer_bytes=1GiB"});
  igptd.upstream.OnRequest([&](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(kRunStart);
    exchange.SendUntilBlocked(Chunk(SseEvent(DeltaEvent(1, std::string(100'000, 'a')))), kMuch);
    held_back.Set();
    exchange.Send("");
    exchange.SendSse(kRunDone);
    exchange.EndChunked();
  });
  Http2Client client(igptd.process->address(), {.stream_window = 1 << 30, .connection_window = 1 << 30});
  const uint32_t stream = client.Open(kAskPath);
  client.Message(stream, AskFor("ada", "?").SerializeAsString());
  ASSERT_TRUE(client.Flush());
  ASSERT_TRUE(held_back.Await());
  absl::SleepFor(kVanishedLimit);
  ASSERT_TRUE(client.Await([&] { return client.EndOf(stream) != nullptr; }, 2 * kWaitLimit));
  EXPECT_EQ(client.EndOf(stream)->grpc_status, StatusCode::OK);
}

// An igptd whose stderr is a small pipe, which the test reads when it wants to.
class IgptdOnAPipe {
 public:
  IgptdOnAPipe() {
    const std::string pipe = directory_.File("stderr");
    EXPECT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    end_ = UniqueFd(::open(pipe.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
    ::fcntl(end_.get(), F_SETPIPE_SZ, 4096);
    igptd_ = IgptdWithStderrIn(directory_, pipe);
  }

  Igptd& igptd() { return *igptd_; }

  // Returns false if the pipe doesn't fill up.
  bool AwaitFull() const {
    return AwaitTrue([this] { return !AwaitFd(end_.get(), POLLOUT, absl::ZeroDuration()); });
  }

  // Reads the pipe until `text` has appeared. Returns false if it doesn't appear.
  bool ReadUntil(std::string_view text) {
    for (const absl::Time end = absl::Now() + kWaitLimit; absl::Now() < end;) {
      ReadAll();
      if (log_.find(text) != std::string::npos) return true;
      (void)AwaitFd(end_.get(), POLLIN, end - absl::Now());
    }
    return false;
  }

  // The lines that were read.
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

  const ScratchDirectory directory_;
  UniqueFd end_;
  std::unique_ptr<Igptd> igptd_;
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

TEST(IgptdResourcesTest, ALogThatCannotBeWrittenHoldsUpNothing) {
  const ScratchDirectory directory;
  const std::unique_ptr<Igptd> igptd = IgptdWithStderrIn(directory, "/dev/full");
  igptd->upstream.OnRequest(AnswerAtOnce);
  for (int i = 0; i < 200; ++i) EXPECT_THAT(igptd->Ask(AskFor("ada", "?")).status, IsOkStatus());
  igptd->Stop();  // expects exit code 0
}

// More calls than lines fit into the queue: every call is in the log, or in the number of dropped lines that it
// reports.
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
