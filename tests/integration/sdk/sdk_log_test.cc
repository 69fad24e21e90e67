// Options::log: what a client writes for people, and what it writes to stderr without one.
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "tests/integration/sdk/sdk_fixture.h"
#include "tests/support/await.h"

namespace igpt::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

// What a client wrote. Thread-safe.
class Lines {
 public:
  void operator()(std::string_view line) {
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(line);
  }
  std::vector<std::string> Get() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  bool Await(size_t count) const {
    return AwaitTrue([&] { return Get().size() >= count; });
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

class SdkLogTest : public ::testing::Test {
 protected:
  Options WithLog() {
    Options options = OptionsFor(server_);
    options.log = [lines = lines_](std::string_view line) { (*lines)(line); };
    return options;
  }

  std::shared_ptr<Lines> lines_ = std::make_shared<Lines>();
  ScriptedHttpServer server_;
};

TEST_F(SdkLogTest, RequestsThatAreSentAgain) {
  server_.OnNextRequest(Reset);
  server_.OnNextRequest(Respond(503, "SECRET"));
  server_.OnNextRequest(Respond(429, "SECRET"));
  Options options = WithLog();
  options.user = "SECRET user";
  options.max_retries = 3;
  SearchRequest search;
  search.query = "SECRET query";
  EXPECT_THAT(MakeClient(options)->recall().Search(search), IsError(ErrorKind::kRateLimited));
  EXPECT_THAT(
      lines_->Get(),
      ElementsAre(
          MatchesRegex(R"(recall/search failed \(network\); attempt 2 of 3 follows in [0-9]+ms)"),
          MatchesRegex(R"(recall/search failed \(unavailable, HTTP 503\); attempt 3 of 3 follows in [0-9]+ms)")));
}

TEST_F(SdkLogTest, NothingWhenNothingIsToSay) {
  server_.OnNextRequest(Respond(200, "[]"));
  server_.OnNextRequest(WholeRun());
  server_.OnNextRequest(Respond(401, "{}"));
  const std::unique_ptr<Client> client = MakeClient(WithLog());
  EXPECT_THAT(client->recall().Search({}), IsOk());
  EXPECT_THAT(AskAll(*client), EndsProperly());
  EXPECT_THAT(client->recall().Search({}), IsError(ErrorKind::kAuth));
  EXPECT_THAT(lines_->Get(), IsEmpty());
}

// The number of requests that the lines tell of is what the client counted, but for those since the last line.
TEST_F(SdkLogTest, RequestsThatAreHeldBackAtMostOnceASecond) {
  server_.OnRequest(Respond(503, "{}"));
  const std::unique_ptr<unstable::EventLoop> loop = MakeLoop();
  const std::unique_ptr<Client> client = MakeClient(WithLog(), loop.get());
  const MonotonicTime start = MonotonicTime::Now();
  while (lines_->Get().size() < 2 && MonotonicTime::Now() - start < kWaitLimit) {
    EXPECT_THAT(client->recall().Search({}), Not(IsOk()));
  }
  const absl::Duration took = MonotonicTime::Now() - start;
  int64_t counted = 0;
  RunOnLoop(*loop, [&] { counted = unstable::OnLoop::HeldBack(*client); });
  int64_t told = 0;
  const std::vector<std::string> lines = lines_->Get();
  for (const std::string& line : lines) {
    constexpr std::string_view kWhy = "requests held back because most requests to iGPT are failing: ";
    ASSERT_TRUE(absl::StartsWith(line, std::string(kWhy))) << line;
    int64_t count = 0;
    ASSERT_TRUE(absl::SimpleAtoi(line.substr(kWhy.size()), &count)) << line;
    told += count;
  }
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_GE(took, absl::Seconds(1));
  EXPECT_GT(told, 2);
  EXPECT_EQ(told, counted);
}

constexpr char kThrew[] = "a callback threw an exception, which is lost";

TEST_F(SdkLogTest, CallbacksThatThrow) {
  server_.OnRequest(Respond(200, "[]"));
  const std::unique_ptr<unstable::EventLoop> loop = MakeLoop();
  for (unstable::EventLoop* const its : {static_cast<unstable::EventLoop*>(nullptr), loop.get()}) {
    const auto lines = lines_ = std::make_shared<Lines>();
    const std::unique_ptr<Client> client = MakeClient(WithLog(), its);
    client->recall().Search({}, {}, [](const auto&) { throw std::runtime_error("SECRET"); });
    client->recall().Search({}, {}, [](const auto&) { throw 1; });
    ASSERT_TRUE(lines->Await(2));
    EXPECT_THAT(lines->Get(), ElementsAre(kThrew, kThrew));
    EventStream stream = client->recall().AskStream(Question());
    stream.Read([](const auto&) { throw std::runtime_error("SECRET"); });
    ASSERT_TRUE(lines->Await(3));
    EXPECT_THAT(client->recall().Search({}), IsOk());
  }
}

TEST_F(SdkLogTest, CallbacksThatThrowWithoutALog) {
  server_.OnRequest(Respond(200, "[]"));
  ::testing::internal::CaptureStderr();
  Client client = *MakeClient(OptionsFor(server_));
  client.recall().Search({}, {}, [](const auto&) { throw std::runtime_error("SECRET"); });
  client.Close();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), std::string("igpt: ") + kThrew + "\n");

  // Where there is no client any more.
  ::testing::internal::CaptureStderr();
  const Client moved = std::move(client);
  Event threw;
  struct SetWhenGone {
    Event* event;
    ~SetWhenGone() { event->Set(); }
  };
  // NOLINTNEXTLINE(bugprone-use-after-move): on purpose
  client.recall().Search({}, {}, [gone = std::make_shared<SetWhenGone>(&threw)](const auto&) { throw 1; });
  EXPECT_TRUE(threw.Await());
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), std::string("igpt: ") + kThrew + "\n");
}

TEST_F(SdkLogTest, NullCallbacksAreRefused) {
  server_.OnRequest(WholeRun());
  const std::unique_ptr<Client> client = MakeClient(WithLog());
  client->recall().Ask(Question(), {}, nullptr);
  client->recall().Run(Question<RunRequest>(), {}, Callback<Answer>());
  client->recall().Search({}, {}, nullptr).Cancel();
  client->datasources().List({}, {}, nullptr);
  client->datasources().Disconnect(DisconnectSpike(), {}, nullptr);
  client->connectors().Authorize(ConnectSpike(), {}, nullptr);
  EXPECT_EQ(server_.connections(), 0);
  EventStream stream = client->recall().AskStream(Question());
  stream.Read(nullptr);
  const std::string nothing = " got a null callback, so it did nothing: give it one";
  EXPECT_THAT(lines_->Get(), ElementsAre("Recall::Ask" + nothing, "Recall::Run" + nothing, "Recall::Search" + nothing,
                                         "Datasources::List" + nothing, "Datasources::Disconnect" + nothing,
                                         "Connectors::Authorize" + nothing, "EventStream::Read" + nothing));
  EXPECT_THAT(ReadAll(stream).events, ::testing::SizeIs(3)) << "no event was lost";

  ::testing::internal::CaptureStderr();
  EventStream().Read(nullptr);
  MakeClient(OptionsFor(server_))->recall().Search({}, {}, nullptr);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "igpt: EventStream::Read" + nothing + "\nigpt: Recall::Search" + nothing + "\n");
}

// On the client's own thread, in the middle of a call.
TEST_F(SdkLogTest, MayThrowAndCloseItsClient) {
  server_.OnRequest(Respond(503, "{}"));
  Options options = OptionsFor(server_);
  options.max_retries = 3;
  options.log = [](std::string_view) { throw std::runtime_error("SECRET"); };
  EXPECT_THAT(MakeClient(options)->recall().Search({}), IsError(ErrorKind::kUnavailable));
  EXPECT_EQ(server_.requests().size(), 3U);

  std::unique_ptr<Client> client;
  options.log = [&](std::string_view) { client->Close(); };
  client = MakeClient(options);
  EXPECT_THAT(client->recall().Search({}), IsError(ErrorKind::kAborted));
  EXPECT_EQ(server_.requests().size(), 4U);
}

}  // namespace
}  // namespace igpt::testing
