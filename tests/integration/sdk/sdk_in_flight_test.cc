// Options::max_calls_in_flight: how many calls run at once, and how the others wait.
#include <atomic>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/sdk/sdk_fixture.h"
#include "tests/support/await.h"

namespace igpt::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class SdkInFlightTest : public ::testing::Test {
 protected:
  Options WithLimit(int limit) {
    Options options = OptionsFor(server_);
    options.max_calls_in_flight = limit;
    return options;
  }

  // Takes the only place, with the first request, until Release() or the call's end.
  Handler Hold() {
    return [this](Exchange& exchange) {
      exchange.WaitFor(release_);
      exchange.Answer(200, "[]");
    };
  }
  void Release() { release_.Set(); }

  static SearchRequest Query(int number) {
    SearchRequest request;
    request.query = std::to_string(number);
    return request;
  }

  // What the server was asked for, in order.
  std::vector<std::string> Queries() const {
    std::vector<std::string> queries;
    for (const HttpRequest& request : server_.requests()) {
      const size_t begin = request.body.find(R"("query":")") + 9;
      queries.push_back(request.body.substr(begin, request.body.find('"', begin) - begin));
    }
    return queries;
  }

  Event release_;
  ScriptedHttpServer server_;
};

TEST_F(SdkInFlightTest, NoMoreCallsRunAtOnce) {
  constexpr int kCalls = 100;
  for (const int limit : {1, 3, 50}) {
    std::atomic<int> now = 0;
    std::atomic<int> most = 0;
    ScriptedHttpServer server;
    server.OnRequest([&](Exchange& exchange) {
      const int mine = ++now;
      for (int before = most; before < mine && !most.compare_exchange_weak(before, mine);) {
      }
      // All places are taken once, so a further call would be seen.
      if (!AwaitTrue([&] { return most >= limit; })) return exchange.Reset();
      --now;
      exchange.Answer(200, "[]");
    });
    Options options = OptionsFor(server);
    options.max_calls_in_flight = limit;
    const std::unique_ptr<Client> client = MakeClient(options);
    std::vector<Outcome> outcomes(kCalls);
    for (Outcome& outcome : outcomes) client->recall().Search({}, {}, outcome.Callback());
    for (Outcome& outcome : outcomes) EXPECT_THAT(outcome.Await(), IsOk());
    EXPECT_EQ(most, limit);
    EXPECT_THAT(server.requests(), SizeIs(kCalls));
  }
}

TEST_F(SdkInFlightTest, CallsOfManyThreads) {
  server_.OnRequest(Respond(200, "[]"));
  const std::unique_ptr<Client> client = MakeClient(WithLimit(2));
  std::atomic<int> ok = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 20; ++j) ok += client->recall().Search({}).ok() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ok, 160);
}

TEST_F(SdkInFlightTest, OrderOfArrival) {
  server_.OnRequest(Respond(200, "[]"));
  server_.OnNextRequest(Hold());
  const std::unique_ptr<Client> client = MakeClient(WithLimit(1));
  std::vector<Outcome> outcomes(50);
  std::vector<std::string> expected;
  for (int i = 0; i < 50; ++i) {
    client->recall().Search(Query(i), {}, outcomes[static_cast<size_t>(i)].Callback());
    expected.push_back(std::to_string(i));
  }
  ASSERT_TRUE(server_.AwaitRequests(1));
  Release();
  for (Outcome& outcome : outcomes) EXPECT_THAT(outcome.Await(), IsOk());
  EXPECT_EQ(Queries(), expected);
}

TEST_F(SdkInFlightTest, ARetryKeepsItsPlace) {
  server_.OnRequest(Respond(200, "[]"));
  server_.OnNextRequest(Respond(503, "{}"));
  server_.OnNextRequest(Respond(503, "{}"));
  Options options = WithLimit(1);
  options.max_retries = 3;
  const std::unique_ptr<Client> client = MakeClient(options);
  Outcome first, second;
  client->recall().Search(Query(1), {}, first.Callback());
  client->recall().Search(Query(2), {}, second.Callback());
  EXPECT_THAT(first.Await(), IsOk());
  EXPECT_THAT(second.Await(), IsOk());
  EXPECT_THAT(Queries(), ElementsAre("1", "1", "1", "2"));
}

// In each way that a call can end, one that waits does; nothing is sent, and the next one has its turn.
TEST_F(SdkInFlightTest, AWaitingCallEnds) {
  server_.OnNextRequest(Hold());
  server_.OnRequest(Respond(200, "[]"));
  const std::unique_ptr<Client> client = MakeClient(WithLimit(1));
  Outcome first, cancelled, stopped, late, next;
  client->recall().Search(Query(1), {}, first.Callback());
  ASSERT_TRUE(server_.AwaitRequests(1));

  PendingCall call = client->recall().Search(Query(2), {}, cancelled.Callback());
  std::stop_source stop;
  CallOptions stoppable;
  stoppable.stop = stop.get_token();
  client->recall().Search(Query(3), stoppable, stopped.Callback());
  client->recall().Search(Query(4), Within(absl::Milliseconds(20)), late.Callback());
  std::optional<EventStream> gone = client->recall().AskStream(Question());
  EventStream stream = client->recall().AskStream(Question());
  client->recall().Search(Query(5), {}, next.Callback());

  const absl::Status deadline = late.Await();
  EXPECT_THAT(deadline, IsError(ErrorKind::kDeadline));
  EXPECT_THAT(std::string(deadline.message()), HasSubstr("max_calls_in_flight"));
  EXPECT_EQ(ErrorOf(deadline).value_or(Error()).call.attempts, 0);
  call.Cancel();
  EXPECT_THAT(cancelled.Await(), IsError(ErrorKind::kAborted));
  stop.request_stop();
  EXPECT_THAT(stopped.Await(), IsError(ErrorKind::kAborted));
  gone.reset();
  stream.Cancel();
  EXPECT_THAT(stream.Read(), IsError(ErrorKind::kAborted));
  EXPECT_EQ(first.count() + next.count(), 0);

  Release();
  EXPECT_THAT(first.Await(), IsOk());
  EXPECT_THAT(next.Await(), IsOk());
  EXPECT_THAT(Queries(), ElementsAre("1", "5"));
}

// The call that has the place ends, in each way.
TEST_F(SdkInFlightTest, ACallThatEndsGivesItsPlaceBack) {
  const std::unique_ptr<Client> client = MakeClient(WithLimit(1));
  const Handler stalling_stream = [](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(kRunStart);
    exchange.Stall();
  };
  server_.OnNextRequest(stalling_stream);
  server_.OnNextRequest(stalling_stream);
  server_.OnNextRequest(WholeRun());
  server_.OnNextRequest(Stall);
  server_.OnNextRequest(Stall);
  server_.OnNextRequest(Reset);
  server_.OnNextRequest(Respond(200, R"({"error":"params"})"));
  server_.OnRequest(Respond(200, "[]"));
  size_t requests = 0;
  const auto one_more = [&] { return server_.AwaitRequests(++requests); };

  std::optional<EventStream> stream = client->recall().AskStream(Question());
  EXPECT_THAT(stream->Read(), IsOk());
  ASSERT_TRUE(one_more());
  stream.reset();
  stream = client->recall().AskStream(Question());
  EXPECT_THAT(stream->Read(), IsOk());
  ASSERT_TRUE(one_more());
  stream->Cancel();
  // It was received to its end, though nobody has read it.
  EventStream unread = client->recall().AskStream(Question());
  ASSERT_TRUE(one_more());

  Outcome cancelled;
  PendingCall call = client->recall().Search({}, {}, cancelled.Callback());
  ASSERT_TRUE(one_more());
  call.Cancel();
  Outcome stopped;
  std::stop_source stop;
  CallOptions stoppable;
  stoppable.stop = stop.get_token();
  client->recall().Search({}, stoppable, stopped.Callback());
  ASSERT_TRUE(one_more());
  stop.request_stop();
  EXPECT_THAT(stopped.Await(), IsError(ErrorKind::kAborted));
  EXPECT_THAT(client->recall().Search({}), IsError(ErrorKind::kNetwork));
  EXPECT_THAT(client->recall().Search({}), IsError(ErrorKind::kParams));
  EXPECT_THAT(client->recall().Search({.date_from = "soon"}), IsError(ErrorKind::kInvalidRequest));
  EXPECT_THAT(client->recall().Search({}), IsOk());
  EXPECT_THAT(ReadAll(unread), EndsProperly());
}

TEST_F(SdkInFlightTest, AStreamHasItsPlaceUntilItsEnd) {
  server_.OnNextRequest([this](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(kRunStart);
    exchange.WaitFor(release_);
    exchange.SendSse(kRunDone);
    exchange.EndChunked();
  });
  server_.OnRequest(Respond(200, "[]"));
  const std::unique_ptr<Client> client = MakeClient(WithLimit(1));
  EventStream stream = client->recall().AskStream(Question());
  EXPECT_THAT(stream.Read(), IsOk());
  EXPECT_THAT(client->recall().Search({}, Within(absl::Milliseconds(50))), IsError(ErrorKind::kDeadline));
  EXPECT_THAT(server_.requests(), SizeIs(1));
  Release();
  EXPECT_THAT(ReadAll(stream), EndsProperly());
  EXPECT_THAT(client->recall().Search({}), IsOk());
}

// A callback has no place any more.
TEST_F(SdkInFlightTest, ACallbackMakesABlockingCall) {
  server_.OnRequest(Respond(200, "[]"));
  const std::unique_ptr<Client> client = MakeClient(WithLimit(1));
  Outcome nested;
  client->recall().Search({}, {}, [&](const auto&) { nested.Set(client->recall().Search({}).status()); });
  EXPECT_THAT(nested.Await(), IsOk());
}

// Many that wait are no deep stack when they end all at once.
constexpr size_t kMany = 20'000;

TEST_F(SdkInFlightTest, ManyWaitingCallsAreClosed) {
  server_.OnRequest(Stall);
  const std::unique_ptr<Client> client = MakeClient(WithLimit(1));
  std::atomic<size_t> aborted = 0;
  std::atomic<size_t> ended = 0;
  for (size_t i = 0; i < kMany; ++i) {
    client->datasources().List({}, {}, [&](const auto& result) {
      ++ended;
      if (KindOf(result.status()) == ErrorKind::kAborted) ++aborted;
    });
  }
  ASSERT_TRUE(server_.AwaitRequests(1));
  client->Close();
  EXPECT_EQ(ended, kMany);
  EXPECT_EQ(aborted, kMany);
  EXPECT_THAT(server_.requests(), SizeIs(1));
}

TEST_F(SdkInFlightTest, ManyWaitingCallsFailInTheirTurn) {
  server_.OnNextRequest(Hold());
  Options options = WithLimit(1);
  options.api_key = "";
  options.api_key_provider = [] { return absl::UnavailableError(""); };
  const std::unique_ptr<Client> client = MakeClient(options);
  Outcome first;
  CallOptions own_key;
  own_key.api_key = "ak:own";
  client->recall().Search({}, own_key, first.Callback());
  ASSERT_TRUE(server_.AwaitRequests(1));
  std::atomic<size_t> failed = 0;
  Event all;
  for (size_t i = 0; i < kMany; ++i) {
    client->datasources().List({}, {}, [&](const auto& result) {
      EXPECT_THAT(result, Not(IsOk()));
      if (++failed == kMany) all.Set();
    });
  }
  Release();
  EXPECT_THAT(first.Await(), IsOk());
  EXPECT_TRUE(all.Await());
  EXPECT_THAT(server_.requests(), SizeIs(1));
}

// Each client has places of its own, on one loop too.
TEST_F(SdkInFlightTest, ClientsOfOneLoop) {
  server_.OnNextRequest(Hold());
  server_.OnRequest(Respond(200, "[]"));
  const std::unique_ptr<unstable::EventLoop> loop = MakeLoop();
  const std::unique_ptr<Client> one = MakeClient(WithLimit(1), loop.get());
  const std::unique_ptr<Client> other = MakeClient(WithLimit(1), loop.get());
  Outcome first;
  one->recall().Search({}, {}, first.Callback());
  ASSERT_TRUE(server_.AwaitRequests(1));
  EXPECT_THAT(other->recall().Search({}), IsOk());
  Release();
  EXPECT_THAT(first.Await(), IsOk());
}

}  // namespace
}  // namespace igpt::testing
