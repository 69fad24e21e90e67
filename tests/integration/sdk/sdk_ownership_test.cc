// Who lets go of what, where and when: nothing dangles, nothing hangs, every callback runs once.
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "igpt/executor.h"
#include "tests/integration/sdk/sdk_fixture.h"
#include "tests/support/await.h"

namespace igpt::testing {
namespace {

using ::testing::SizeIs;

// Runs callbacks at once, on the event loop's own thread.
class Inline final : public Executor {
 public:
  void Run(absl::AnyInvocable<void()> function) override { function(); }
};

// Keeps what it is given until its thread comes to it, as a program's main loop does.
class MainLoop final : public Executor {
 public:
  void Run(absl::AnyInvocable<void()> function) override {
    const std::lock_guard lock(mutex_);
    functions_.push_back(std::move(function));
  }

  size_t size() const {
    const std::lock_guard lock(mutex_);
    return functions_.size();
  }

  void RunAll() {
    std::vector<absl::AnyInvocable<void()>> functions;
    {
      const std::lock_guard lock(mutex_);
      functions.swap(functions_);
    }
    for (absl::AnyInvocable<void()>& function : functions) function();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<absl::AnyInvocable<void()>> functions_;
};

Handler SearchesOnly() {
  return [](Exchange& exchange) {
    if (exchange.request().target == "/v1/recall/search/") {
      exchange.Answer(200, "[]");
    } else {
      exchange.Stall();
    }
  };
}

class SdkOwnershipTest : public ::testing::Test {
 protected:
  // A client with a loop of its own.
  Client Make(std::shared_ptr<Executor> executor = nullptr) {
    Options options = OptionsFor(server_);
    options.executor = std::move(executor);
    return *MakeClient(std::move(options));
  }

  ScriptedHttpServer server_;
};

TEST_F(SdkOwnershipTest, CopiesAndPartsShareTheConnection) {
  server_.OnRequest(Respond(200, "[]"));
  std::optional<Client> client = Make();
  const Client copy = *client;
  Recall recall = client->recall();
  EXPECT_THAT(client->recall().Search({}), IsOk());
  client.reset();
  EXPECT_THAT(copy.recall().Search({}), IsOk());
  EXPECT_THAT(recall.Search({}), IsOk());
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(SdkOwnershipTest, AClientThatWasMovedFrom) {
  Client client = Make();
  const Client moved = std::move(client);
  // NOLINTBEGIN(bugprone-use-after-move): on purpose
  EXPECT_EQ(client.recall().Search({}).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(client.recall().AskStream(Question()).Read().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(client.SetApiKey("ak:other").code(), absl::StatusCode::kFailedPrecondition);
  Outcome search;
  client.recall().Search({}, {}, search.Callback()).Cancel();
  EXPECT_EQ(search.Await().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(client.SetAuthorities("").code(), absl::StatusCode::kFailedPrecondition);
  client.Close();
  // NOLINTEND(bugprone-use-after-move)
}

TEST_F(SdkOwnershipTest, AStreamOutlivesItsClient) {
  server_.OnRequest(WholeRun());
  EventStream stream = Make().recall().AskStream(Question());
  EXPECT_THAT(ReadAll(stream), EndsProperly());
}

TEST_F(SdkOwnershipTest, UnreadEventsOutliveTheClient) {
  Event sent;
  server_.OnRequest([&](Exchange& exchange) {
    WholeRun()(exchange);
    sent.Set();
  });
  EventStream stream = Make().recall().AskStream(Question());
  EXPECT_THAT(stream.Read(), IsOk());
  ASSERT_TRUE(sent.Await());
  stream = EventStream();
}

TEST_F(SdkOwnershipTest, ACallIsCancelledAfterItsClientIsGone) {
  server_.OnRequest(Stall);
  Outcome outcome;
  std::optional<Client> client = Make();
  PendingCall call = client->recall().Search({}, {}, outcome.Callback());
  client.reset();
  EXPECT_EQ(outcome.count(), 1) << "the last Client waits for the callbacks";
  EXPECT_THAT(outcome.Await(), IsError(ErrorKind::kAborted));
  call.Cancel();
  PendingCall().Cancel();
}

TEST_F(SdkOwnershipTest, TheLastClientGoesInItsOwnCallback) {
  server_.OnRequest(Respond(200, "[]"));
  for (const bool on_loop : {false, true}) {
    Outcome outcome;
    auto client = std::make_shared<Client>(Make(on_loop ? std::make_shared<Inline>() : nullptr));
    Client* last = client.get();
    last->recall().Search({}, {}, [client = std::move(client), &outcome](auto result) mutable {
      client.reset();
      outcome.Set(std::move(result).status());
    });
    EXPECT_THAT(outcome.Await(), IsOk());
  }
}

TEST_F(SdkOwnershipTest, TheLastStreamGoesInItsOwnCallback) {
  server_.OnRequest(WholeRun());
  for (const bool on_loop : {false, true}) {
    Outcome outcome;
    auto stream = std::make_shared<EventStream>(
        Make(on_loop ? std::make_shared<Inline>() : nullptr).recall().AskStream(Question()));
    EventStream* last = stream.get();
    last->Read([stream = std::move(stream), &outcome](auto result) mutable {
      stream.reset();
      outcome.Set(std::move(result).status());
    });
    EXPECT_THAT(outcome.Await(), IsOk());
  }
}

TEST_F(SdkOwnershipTest, ACallbackStartsACallWhileTheClientIsDestroyed) {
  server_.OnRequest(Stall);
  for (const bool on_loop : {false, true}) {
    Outcome first, second;
    Event started;
    auto client = std::make_unique<Client>(Make(on_loop ? std::make_shared<Inline>() : nullptr));
    client->recall().Search({}, {}, [&, client = client.get()](auto result) {
      client->recall().Search({}, {}, second.Callback());
      started.Set();
      first.Set(std::move(result).status());
    });
    client.reset();
    ASSERT_TRUE(started.Await());
    EXPECT_THAT(first.Await(), IsError(ErrorKind::kAborted));
    EXPECT_THAT(second.Await(), IsError(ErrorKind::kAborted));
  }
}

TEST_F(SdkOwnershipTest, ThreadsBlockInCallsWhileTheirClientGoes) {
  server_.OnRequest([](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(kRunStart);
    exchange.EndChunked();
  });
  auto client = std::make_shared<Client>(Make());
  std::vector<std::thread> callers;
  std::atomic<int> ended = 0;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&ended, copy = Client(*client)] {
      for (int call = 0; call < 20; ++call) copy.recall().Ask(Question()).status().IgnoreError();
      ++ended;
    });
  }
  client.reset();
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(ended, 8);
}

TEST_F(SdkOwnershipTest, CloseEndsAllAndWaits) {
  server_.OnRequest(Stall);
  Client client = Make();
  Outcome search, read;
  client.recall().Search({}, {}, search.Callback());
  EventStream stream = client.recall().AskStream(Question());
  stream.Read(read.Callback());
  std::thread blocked([&client] { EXPECT_THAT(client.datasources().List({}), IsError(ErrorKind::kAborted)); });
  ASSERT_TRUE(server_.AwaitRequests(3));
  client.Close();
  EXPECT_EQ(search.count() + read.count(), 2);
  EXPECT_THAT(search.Await(), IsError(ErrorKind::kAborted));
  EXPECT_THAT(read.Await(), IsError(ErrorKind::kAborted));
  blocked.join();
  EXPECT_THAT(client.recall().Search({}), IsError(ErrorKind::kAborted));
  EXPECT_THAT(client.recall().AskStream(Question()).Read(), IsError(ErrorKind::kAborted));
  client.Close();
}

TEST_F(SdkOwnershipTest, CloseWithinACallback) {
  server_.OnRequest(SearchesOnly());
  for (const bool on_loop : {false, true}) {
    Client client = Make(on_loop ? std::make_shared<Inline>() : nullptr);
    Outcome search, list;
    client.datasources().List({}, {}, list.Callback());
    client.recall().Search({}, {}, [&](auto result) {
      client.Close();
      search.Set(std::move(result).status());
    });
    EXPECT_THAT(search.Await(), IsOk());
    EXPECT_THAT(list.Await(), IsError(ErrorKind::kAborted));
  }
}

TEST_F(SdkOwnershipTest, AnExecutorOfOneThread) {
  server_.OnRequest(Respond(200, "[]"));
  const auto loop = std::make_shared<MainLoop>();
  std::optional<Client> client = Make(loop);
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) client->recall().Search({}, {}, [&order, i](const auto&) { order.push_back(i); });
  EXPECT_THAT(client->recall().Search({}), IsOk()) << "a blocking call needs no executor";
  ASSERT_TRUE(AwaitTrue([&] { return loop->size() == 3; }));
  EXPECT_TRUE(order.empty());
  loop->RunAll();
  EXPECT_THAT(order, SizeIs(3));

  // Closed by the executor's own thread, before it came to the callbacks.
  server_.OnRequest(Stall);
  Outcome waiting;
  client->recall().Search({}, {}, waiting.Callback());
  client.reset();
  EXPECT_EQ(waiting.count(), 1);
  EXPECT_THAT(waiting.Await(), IsError(ErrorKind::kAborted));
  loop->RunAll();
  EXPECT_EQ(waiting.count(), 1);
}

// Calls that retry at once, block, throw or call again don't keep others waiting.
TEST_F(SdkOwnershipTest, CallbacksDontStarveOthers) {
  server_.OnRequest(Respond(200, "[]"));
  Client client = Make();
  Event over;
  std::atomic<int> blocked = 0;
  for (int i = 0; i < 8; ++i) {
    client.recall().Search({}, {}, [&](const auto&) {
      ++blocked;
      EXPECT_TRUE(over.Await());
    });
  }
  std::function<void()> again = [&] {
    client.recall().Search({}, {}, [&](const auto& result) {
      if (result.ok()) again();
    });
  };
  again();
  client.recall().Search({}, {}, [](const auto&) { throw std::runtime_error("of a user"); });
  ASSERT_TRUE(AwaitTrue([&] { return blocked == 8; }));
  EXPECT_THAT(client.recall().Search({}), IsOk());
  Outcome nested;
  client.recall().Search({}, {}, [&](const auto&) { nested.Set(client.recall().Search({}).status()); });
  EXPECT_THAT(nested.Await(), IsOk());
  over.Set();
  client.Close();
}

TEST_F(SdkOwnershipTest, TwoReadsAtOnce) {
  Event go;
  server_.OnRequest([&](Exchange& exchange) {
    exchange.StartSse();
    EXPECT_TRUE(go.Await());
    exchange.SendSse(kRunStart);
    exchange.SendSse(kRunDone);
    exchange.EndChunked();
  });
  EventStream stream = Make().recall().AskStream(Question());
  Outcome first, second;
  stream.Read(first.Callback());
  stream.Read(second.Callback());
  EXPECT_EQ(second.Await().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(stream.Read().status().code(), absl::StatusCode::kFailedPrecondition);
  go.Set();
  EXPECT_THAT(first.Await(), IsOk());
  EXPECT_THAT(ReadAll(stream), EndsProperly());
}

}  // namespace
}  // namespace igpt::testing
