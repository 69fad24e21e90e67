// Cancels and destruction in every phase: the call ends once, with kAborted, and the server sees its client leave.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/integration/sdk/sdk_fixture.h"

namespace igpt::testing {
namespace {

using ::testing::SizeIs;

// How far a call has got when it is ended.
struct Phase {
  const char* name;
  ScriptedHttpServer::Mode mode;
  std::function<void(Exchange&, Event& reached)> script;
  bool has_connection;  // the server accepted a connection, which must then be closed
};

std::vector<Phase> Phases() {
  using Mode = ScriptedHttpServer::Mode;
  return {
      {"Connecting", Mode::kNoHandshake, nullptr, false},
      {"BeforeTheFirstByte", Mode::kServe,
       [](Exchange& exchange, Event& reached) {
         reached.Set();
         exchange.Stall();
       },
       true},
      {"WithinTheHead", Mode::kServe,
       [](Exchange& exchange, Event& reached) {
         exchange.Send("HTTP/1.1 200 OK\r\nContent-");
         reached.Set();
         exchange.Stall();
       },
       true},
      {"WithinTheBody", Mode::kServe,
       [](Exchange& exchange, Event& reached) {
         exchange.SendHead(200, {{"Content-Type", "application/json"}, {"Content-Length", "100"}});
         exchange.Send("{");
         reached.Set();
         exchange.Stall();
       },
       true},
      // The connection closes once the answer was read. The call then waits to retry.
      {"WaitingToTryAgain", Mode::kServe,
       [](Exchange& exchange, Event& reached) {
         exchange.Answer(503, "{}", {{"Retry-After", "60"}, {"Connection", "close"}});
         if (exchange.AwaitPeerClosed()) reached.Set();
       },
       true},
  };
}

// A call that never ends by itself.
enum class Kind { kUnary, kStream };

// What ends it.
enum class How { kCancel, kCancelOnLoop, kDestroyStream, kDestroyClient };

class CancelTest : public ::testing::TestWithParam<std::tuple<Phase, Kind, How>> {};

TEST_P(CancelTest, EndsTheCallOnceAndTheRequestAtOnce) {
  const auto& [phase, kind, how] = GetParam();
  Event reached;
  ScriptedHttpServer server(phase.mode);
  if (phase.script) server.OnRequest([&, script = phase.script](Exchange& exchange) { script(exchange, reached); });
  Outcome outcome;
  const std::unique_ptr<unstable::EventLoop> loop = MakeLoop();
  Options options = OptionsFor(server);
  options.max_retries = 3;
  std::unique_ptr<Client> client = MakeClient(options, loop.get());

  EventStream stream;
  PendingCall call;
  if (kind == Kind::kStream) {
    stream = client->recall().AskStream(Question());
    stream.Read(outcome.Callback());
  } else {
    call = client->recall().Search({}, {}, outcome.Callback());
  }
  if (phase.script) {
    ASSERT_TRUE(reached.Await());
  } else {
    RunOnLoop(*loop, [] {});  // the call has started
  }
  RunOnLoop(*loop, [] {});
  EXPECT_EQ(outcome.count(), 0);

  const auto cancel = [&] {
    stream.Cancel();
    call.Cancel();
  };
  switch (how) {
    case How::kCancel:
      cancel();
      break;
    case How::kCancelOnLoop:
      RunOnLoop(*loop, cancel);
      break;
    case How::kDestroyClient:
      stream = EventStream();
      client.reset();
      EXPECT_EQ(outcome.count(), 1) << "the client waits for the callbacks";
      break;
    case How::kDestroyStream:
      stream = EventStream();
      break;
  }
  EXPECT_THAT(outcome.Await(), IsError(ErrorKind::kAborted));
  if (phase.has_connection) {
    EXPECT_TRUE(server.AwaitClosed(1));
  }

  cancel();  // once more: nothing happens
  stream = EventStream();
  client.reset();
  RunOnLoop(*loop, [] {});
  EXPECT_EQ(outcome.count(), 1);
  EXPECT_THAT(server.requests(), SizeIs(phase.script ? 1 : 0));
}

std::string Name(const ::testing::TestParamInfo<CancelTest::ParamType>& info) {
  const auto& [phase, kind, how] = info.param;
  const char* hows[] = {"Cancel", "CancelOnLoop", "DestroyStream", "DestroyClient"};
  return std::string(phase.name) + (kind == Kind::kUnary ? "Unary" : "Stream") + hows[static_cast<int>(how)];
}
INSTANTIATE_TEST_SUITE_P(Unary, CancelTest,
                         ::testing::Combine(::testing::ValuesIn(Phases()), ::testing::Values(Kind::kUnary),
                                            ::testing::Values(How::kCancel, How::kCancelOnLoop, How::kDestroyClient)),
                         Name);
INSTANTIATE_TEST_SUITE_P(Stream, CancelTest,
                         ::testing::Combine(::testing::ValuesIn(Phases()), ::testing::Values(Kind::kStream),
                                            ::testing::Values(How::kCancel, How::kCancelOnLoop, How::kDestroyStream,
                                                              How::kDestroyClient)),
                         Name);

class SdkCancelTest : public ::testing::Test {
 protected:
  const std::unique_ptr<unstable::EventLoop> loop_ = MakeLoop();
};

// Unread events are dropped: the next Read returns the cancel.
TEST_F(SdkCancelTest, CancelMidStreamComesBeforeEventsThatWereNotRead) {
  for (const bool whole : {false, true}) {
    Event sent;
    ScriptedHttpServer server;
    server.OnNextRequest([&](Exchange& exchange) {
      exchange.StartSse();
      exchange.SendSse(kRunStart, DeltaEvent(1), DeltaEvent(2));
      if (whole) exchange.EndChunked();
      sent.Set();
      if (!whole) exchange.Stall();
    });
    server.OnRequest(Respond(200, "[]"));
    const std::unique_ptr<Client> client = MakeClient(OptionsFor(server), loop_.get());
    EventStream stream = client->recall().AskStream(Question());
    EXPECT_THAT(stream.Read(), IsOk());
    ASSERT_TRUE(sent.Await());
    EXPECT_THAT(client->recall().Search({}), IsOk());  // after it, the loop has read the events
    stream.Cancel();
    for (int i = 0; i < 2; ++i) {
      const EventResult result = stream.Read();
      EXPECT_THAT(result, IsError(ErrorKind::kAborted));
      EXPECT_EQ(ErrorOf(result.status()).value_or(Error()).events_delivered, 1);
    }
    if (!whole) {
      EXPECT_TRUE(server.AwaitClosed(1));
    }
  }
}

TEST_F(SdkCancelTest, CancelAfterTheEndChangesNothing) {
  ScriptedHttpServer server;
  server.OnRequest(WholeRun());
  const std::unique_ptr<Client> client = MakeClient(OptionsFor(server), loop_.get());
  EventStream stream = client->recall().AskStream(Question());
  EXPECT_THAT(ReadAll(stream), EndsProperly());
  stream.Cancel();
  EXPECT_THAT(ReadAll(stream), EndsProperly());

  server.OnRequest(Stream({R"({"error":"auth"})"}));
  EventStream failed = client->recall().AskStream(Question());
  EXPECT_THAT(failed.Read(), IsError(ErrorKind::kAuth));
  failed.Cancel();
  EXPECT_THAT(failed.Read(), IsError(ErrorKind::kAuth));
}

// Cancel from one thread while another one waits in Read.
TEST_F(SdkCancelTest, CancelEndsABlockingRead) {
  ScriptedHttpServer server;
  server.OnRequest(Stall);
  const std::unique_ptr<Client> client = MakeClient(OptionsFor(server), loop_.get());
  EventStream stream = client->recall().AskStream(Question());
  std::thread canceller([&] {
    EXPECT_TRUE(server.AwaitRequests(1));
    stream.Cancel();
  });
  EXPECT_THAT(stream.Read(), IsError(ErrorKind::kAborted));
  canceller.join();
  EXPECT_TRUE(server.AwaitClosed(1));
}

// A stream that is held back by its reader: by Cancel and by destruction.
TEST_F(SdkCancelTest, EndsAStreamThatIsHeldBack) {
  for (const bool destroy : {false, true}) {
    Event blocked;
    ScriptedHttpServer server;
    server.OnRequest([&](Exchange& exchange) {
      exchange.StartSse();
      EXPECT_LT(exchange.SendUntilBlocked(Chunk(SseEvent(R"({"delta":")" + std::string(50'000, 'x') + R"("})")),
                                          64 << 20, absl::Milliseconds(200)),
                64u << 20);
      blocked.Set();
      exchange.Stall();
    });
    Options options = OptionsFor(server);
    options.max_answer_bytes = 1 << 30;
    const std::unique_ptr<Client> client = MakeClient(options, loop_.get());
    EventStream stream = client->recall().AskStream(Question());
    ASSERT_TRUE(blocked.Await());
    if (destroy) {
      stream = EventStream();
    } else {
      stream.Cancel();
    }
    EXPECT_TRUE(server.AwaitClosed(1));
    if (!destroy) {
      EXPECT_THAT(stream.Read(), IsError(ErrorKind::kAborted));
    }
  }
}

// A callback that destroys everything.
TEST_F(SdkCancelTest, DestructionWithinACallback) {
  ScriptedHttpServer server;
  server.OnRequest([](Exchange& exchange) {
    if (exchange.request().target == "/v1/recall/search/") {
      exchange.Answer(200, "[]");
    } else {
      exchange.Stall();
    }
  });
  std::unique_ptr<Client> client = MakeClient(OptionsFor(server), loop_.get());
  EventStream stream = client->recall().AskStream(Question());
  Outcome search, list, read;
  stream.Read(read.Callback());
  client->datasources().List({}, {}, list.Callback());
  client->recall().Search({}, {}, [&](const absl::StatusOr<SearchAnswer>& result) {
    stream = EventStream();
    client.reset();
    search.Set(result.status());
  });
  EXPECT_THAT(search.Await(), IsOk());
  EXPECT_THAT(list.Await(), IsError(ErrorKind::kAborted));
  EXPECT_THAT(read.Await(), IsError(ErrorKind::kAborted));
  RunOnLoop(*loop_, [] {});
  EXPECT_EQ(search.count() + list.count() + read.count(), 3);
}

TEST_F(SdkCancelTest, ManyCallsWithCancelsAtAnyMoment) {
  constexpr int kCalls = 300;
  ScriptedHttpServer server;
  server.OnRequest([](Exchange& exchange) {
    if (exchange.request().Header("Accept") == "application/json") {
      exchange.Answer(200, R"({"output":"We will."})");
    } else {
      WholeRun()(exchange);
    }
  });
  const std::unique_ptr<Client> client = MakeClient(OptionsFor(server));
  std::vector<Outcome> outcomes(kCalls);
  for (int i = 0; i < kCalls; ++i) {
    PendingCall call = client->recall().Ask(Question(), {}, outcomes[static_cast<size_t>(i)].Callback());
    EventStream stream = client->recall().AskStream(Question());
    for (int read = 0; read < i % 5; ++read) stream.Read().status().IgnoreError();
    if (i % 2 == 0) call.Cancel();
    if (i % 3 == 0) stream.Cancel();
  }
  for (Outcome& outcome : outcomes) {
    outcome.Await().IgnoreError();
    EXPECT_EQ(outcome.count(), 1);
  }
}

}  // namespace
}  // namespace igpt::testing
