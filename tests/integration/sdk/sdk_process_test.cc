// The library as a guest in a process: signals, fork, file descriptors, threads.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/sdk/sdk_fixture.h"
#include "tests/support/await.h"

namespace {

// In a child of fork(), LeakSanitizer takes what its parent's threads hold for leaks.
bool in_child = false;

}  // namespace

extern "C" int __lsan_is_turned_off() {  // NOLINT(bugprone-reserved-identifier): LeakSanitizer's name
  return in_child ? 1 : 0;
}

namespace igpt::testing {
namespace {

// The names of our threads, with the signals that each blocks.
std::vector<std::pair<std::string, uint64_t>> OurThreads() {
  std::vector<std::pair<std::string, uint64_t>> threads;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream status(task.path() / "status");
    std::string name;
    for (std::string key, value; status >> key && std::getline(status >> std::ws, value);) {
      if (key == "Name:") name = value;
      if (key == "SigBlk:" && name.rfind("igpt-", 0) == 0) {
        threads.emplace_back(name, std::strtoull(value.c_str(), nullptr, 16));
      }
    }
  }
  return threads;
}

TEST(SdkProcessTest, ThreadsTakeNoSignals) {
  ScriptedHttpServer server;
  server.OnRequest(Respond(200, "[]"));
  absl::StatusOr<Client> client = Client::Create(OptionsFor(server));
  ASSERT_THAT(client, IsOk());
  Event over;
  Event running;
  client->recall().Search({}, {}, [&](const auto&) {
    running.Set();
    EXPECT_TRUE(over.Await());
  });
  ASSERT_TRUE(running.Await());
  int loops = 0;
  int callbacks = 0;
  for (const auto& [name, blocked] : OurThreads()) {
    loops += name == "igpt-loop" ? 1 : 0;
    callbacks += name == "igpt-callback" ? 1 : 0;
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGPIPE, SIGALRM}) {
      EXPECT_NE(blocked & uint64_t{1} << (signal - 1), 0U) << name << " takes signal " << signal;
    }
    EXPECT_EQ(blocked & uint64_t{1} << (SIGSEGV - 1), 0U) << name;
  }
  EXPECT_GE(loops, 1);
  EXPECT_GE(callbacks, 1);
  over.Set();
  client->Close();
  sigset_t mine;
  pthread_sigmask(SIG_BLOCK, nullptr, &mine);
  EXPECT_EQ(sigismember(&mine, SIGTERM), 0) << "the mask of the program's own thread changed";
}

#if !defined(__SANITIZE_THREAD__)  // which allows no thread in a child of a program with threads

// Runs `child` in a child of this process, which then exits as every program does. Returns its exit code; nullopt if it
// hangs or is killed.
std::optional<int> InChild(const std::function<int()>& child) {
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    in_child = true;
    std::exit(child());  // NOLINT(concurrency-mt-unsafe): as a program does
  }
  int status = 0;
  if (!AwaitTrue([&] { return waitpid(pid, &status, WNOHANG) == pid; })) {
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return std::nullopt;
  }
  return WIFEXITED(status) ? std::optional<int>(WEXITSTATUS(status)) : std::nullopt;
}

// What a child finds wrong, as bits of its exit code.
int UseOfAParentsClient(Client& client, EventStream& stream, ScriptedHttpServer& server) {
  const auto left_behind = [](const absl::Status& status) {
    return status.code() == absl::StatusCode::kFailedPrecondition;
  };
  int wrong = 0;
  if (!left_behind(client.recall().Search({}).status())) wrong |= 1;
  if (!left_behind(stream.Read().status())) wrong |= 2;
  if (!left_behind(client.recall().AskStream(Question()).Read().status())) wrong |= 4;
  if (!left_behind(client.SetApiKey("ak:other"))) wrong |= 8;
  Outcome search;
  client.recall().Search({}, {}, search.Callback()).Cancel();
  if (!left_behind(search.Await())) wrong |= 16;
  stream.Cancel();
  if (!left_behind(client.SetAuthorities(""))) wrong |= 64;
  client.Close();
  absl::StatusOr<Client> own = Client::Create(OptionsFor(server));
  if (!own.ok() || !own->recall().Search({}).ok()) wrong |= 32;
  return wrong;
}

TEST(SdkProcessTest, AChildOfForkGetsAStatus) {
  ScriptedHttpServer server;
  server.OnRequest([](Exchange& exchange) {
    if (exchange.request().target == "/v1/recall/search/") {
      exchange.Answer(200, "[]");
    } else {
      exchange.StartSse();
      exchange.SendSse(kRunStart);
      exchange.Stall();
    }
  });
  static std::optional<Client> client;  // destroyed when the child exits
  static EventStream stream;
  absl::StatusOr<Client> made = Client::Create(OptionsFor(server));
  ASSERT_THAT(made, IsOk());
  client = *std::move(made);
  stream = client->recall().AskStream(Question());
  EXPECT_THAT(stream.Read(), IsOk());
  EXPECT_EQ(InChild([&] { return UseOfAParentsClient(*client, stream, server); }), 0);
  EXPECT_EQ(InChild([] {
              stream = EventStream();
              client.reset();
              return 0;
            }),
            0);
  EXPECT_THAT(client->recall().Search({}), IsOk()) << "the parent's client is as it was";
  stream = EventStream();
  client.reset();
}

TEST(SdkProcessTest, NoThreadLeft) {
  EXPECT_EQ(InChild([] {
              if (geteuid() == 0 && setuid(65534) != 0) return 1;  // root has no limit
              const rlimit none = {0, 0};
              if (setrlimit(RLIMIT_NPROC, &none) != 0) return 2;
              Options options;
              options.api_key = "ak:test";
              return Client::Create(options).status().code() == absl::StatusCode::kResourceExhausted ? 0 : 3;
            }),
            0);
}

#endif

// A burst of calls takes a share of the descriptors and gives them back.
TEST(SdkProcessTest, DescriptorsAreBounded) {
  constexpr rlim_t kDescriptors = 1024;
  constexpr int kCalls = 10'000;
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low = {kDescriptors, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  ScriptedHttpServer server;
  server.OnRequest(Respond(200, "[]"));
  {
    absl::StatusOr<Client> client = Client::Create(OptionsFor(server));
    ASSERT_THAT(client, IsOk());
    std::atomic<int> ended = 0;
    std::atomic<int> failed = 0;
    for (int i = 0; i < kCalls; ++i) {
      client->recall().Search({}, {}, [&](const auto& result) {
        failed += result.ok() ? 0 : 1;
        ++ended;
      });
    }
    int opened = 0;
    EXPECT_TRUE(AwaitTrue(
        [&] {
          std::FILE* const file = std::fopen("/dev/null", "r");
          if (file != nullptr) {
            ++opened;
            std::fclose(file);
          } else {
            ADD_FAILURE() << "the program has no descriptor left";
          }
          return ended == kCalls || file == nullptr;
        },
        absl::Minutes(3)));
    EXPECT_EQ(failed, 0);
    EXPECT_GT(opened, 0);
    EXPECT_LE(server.connections(), static_cast<int>(kDescriptors / 4));
  }
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace igpt::testing
