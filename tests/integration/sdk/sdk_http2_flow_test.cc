// How calls share a connection over HTTP/2: its windows, its limits, a reader that is slow, a cancel, a dead peer.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/sdk/sdk_http2_fixture.h"

namespace igpt::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using Http2FlowTest = Http2Test;

Http2Settings MaxStreams(uint32_t count) {
  return {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, count}};
}
Http2Settings Window(uint32_t bytes) {
  return {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, bytes}};
}

// More than the window before a server's settings.
AskRequest LongQuestion() {
  AskRequest request;
  request.input = std::string(200'000, 'q');
  return request;
}

// Far more events than a reader is given who reads one.
std::string ManyEvents() {
  std::string events;
  for (int i = 0; i < 100'000; ++i) events += SseEvent(DeltaEvent(i));
  return events;
}

void AnswerAll(const std::vector<Http2Stream>& streams) {
  for (const Http2Stream& stream : streams) stream.Answer(200, "[]");
}

TEST_F(Http2FlowTest, SixteenCallsShareAConnection) {
  ScriptedHttp2Server server;
  server.OnNextRequest(RespondHttp2("[]"));
  const std::unique_ptr<Client> client = MakeClient(Http2Options(server));
  EXPECT_THAT(client->recall().Search({}), IsOk()) << "it knows now that the server has HTTP/2";
  std::vector<Outcome> outcomes(16);
  for (Outcome& outcome : outcomes) client->recall().Search({}, {}, outcome.Callback());
  ASSERT_TRUE(server.AwaitRequests(outcomes.size() + 1));
  EXPECT_EQ(server.connections(), 1);
  const std::vector<Http2Stream> streams = server.requests();
  server.OnRequest(RespondHttp2("[]"));
  EXPECT_THAT(client->recall().Search({}), IsOk());
  EXPECT_EQ(server.connections(), 2);
  AnswerAll({streams.begin() + 1, streams.end()});
  for (Outcome& outcome : outcomes) EXPECT_THAT(outcome.Await(), IsOk());
}

TEST_F(Http2FlowTest, AWindowThatNeverOpensIsATimeout) {
  ScriptedHttp2Server server(Window(0));
  Options options = Http2Options(server, 1);
  options.first_byte_timeout = absl::Seconds(1);
  const absl::Status status = MakeClient(options)->recall().Ask(LongQuestion()).status();
  EXPECT_THAT(status, IsError(ErrorKind::kTimeout));
  EXPECT_EQ(ErrorOf(status)->timer, "first_byte");
}

TEST_F(Http2FlowTest, AWindowThatShrinksHoldsTheRequestBackUntilItGrows) {
  ScriptedHttp2Server server(Window(100'000));
  server.OnRequest(RespondHttp2(R"({"output":"Yes."})"));
  const std::unique_ptr<Client> client = MakeClient(Http2Options(server, 1));
  Outcome outcome;
  client->recall().Ask(LongQuestion(), {}, outcome.Callback());
  ASSERT_TRUE(server.AwaitRequests(1));
  const Http2Stream stream = server.requests()[0];
  stream.Settings(Window(0));
  ASSERT_TRUE(server.Await([&] { return !stream.request().body.empty(); }));
  EXPECT_FALSE(stream.request().whole);
  stream.Settings(Window(1'000'000));
  EXPECT_THAT(outcome.Await(), IsOk());
  EXPECT_THAT(server.requests(), SizeIs(1));
}

TEST_F(Http2FlowTest, WithOneStreamAtATimeEachCallHasAConnection) {
  constexpr size_t kCalls = 10;
  ScriptedHttp2Server server(MaxStreams(1));
  const std::unique_ptr<Client> client = MakeClient(Http2Options(server, 10));
  std::vector<Outcome> outcomes(kCalls);
  for (Outcome& outcome : outcomes) client->recall().Search({}, {}, outcome.Callback());
  // nghttp2 refuses streams beyond the limit by itself, so these are others.
  ASSERT_TRUE(server.AwaitRequests(kCalls));
  AnswerAll(server.requests());
  for (Outcome& outcome : outcomes) EXPECT_THAT(outcome.Await(), IsOk());
  EXPECT_THAT(server.requests(), SizeIs(kCalls));
}

TEST_F(Http2FlowTest, WithoutAnyStreamThereIsNoAnswer) {
  ScriptedHttp2Server server(MaxStreams(0));
  Options options = Http2Options(server, 2);
  options.first_byte_timeout = absl::Seconds(1);
  const std::unique_ptr<Client> client = MakeClient(options);
  EXPECT_THAT(client->recall().Search({}), Not(IsOk()));
  EXPECT_THAT(client->connectors().Authorize(ConnectSpike()), Not(IsOk()));
  EXPECT_THAT(server.requests(), IsEmpty());
}

TEST_F(Http2FlowTest, ALimitThatShrinksEndsNoStream) {
  ScriptedHttp2Server server;
  server.OnRequest([](const Http2Stream& stream) {
    stream.StartSse();
    stream.SendSse(kRunStart);
  });
  const std::unique_ptr<Client> client = MakeClient(Http2Options(server));
  std::vector<EventStream> streams;
  for (int i = 0; i < 5; ++i) {
    streams.push_back(client->recall().AskStream(Question()));
    ASSERT_THAT(streams.back().Read(), IsOk());
  }
  const std::vector<Http2Stream> running = server.requests();
  running[0].Settings(MaxStreams(1));
  running[0].Ping();
  ASSERT_TRUE(server.Await([&] { return server.pongs() == 1; })) << "the client knows of the new limit";
  server.OnRequest(WholeHttp2Run());
  EXPECT_THAT(AskAll(*client), EndsProperly());
  EXPECT_EQ(server.requests().back().connection(), 2);
  for (const Http2Stream& stream : running) {
    stream.SendSse(kRunDone);
    stream.End();
  }
  for (EventStream& stream : streams) EXPECT_THAT(ReadAll(stream), EndsProperly());
}

// The other stream's answer is longer than what both may have under way.
TEST_F(Http2FlowTest, APausedReaderHoldsUpNobodyElse) {
  constexpr int kPieces = 200;
  const auto event = [](int seq) {
    return absl::StrCat(R"({"type":"run.output_text.delta","seq":)", seq, R"(,"delta":")", std::string(200'000, 'x'),
                        R"("})");
  };
  ScriptedHttp2Server server;
  server.OnRequest([&](const Http2Stream& stream) {
    stream.StartSse();
    stream.SendSse(kRunStart);
    for (int i = 1; i <= kPieces; ++i) stream.SendSse(event(i));
    stream.SendSse(kRunDone);
    stream.End();
  });
  Options options = Http2Options(server);
  options.max_answer_bytes = 1 << 30;
  const std::unique_ptr<Client> client = MakeClient(options);
  EventStream paused = client->recall().AskStream(Question());
  ASSERT_THAT(paused.Read(), IsOk());
  for (int i = 0; i < 2; ++i) {
    const Reading other = AskAll(*client);
    EXPECT_THAT(other, EndsProperly());
    EXPECT_THAT(other.events, SizeIs(kPieces + 2));
  }
  EXPECT_EQ(server.connections(), 1);
  // libcurl's window of a stream is 10 MiB, and it may grant a second one before it notices.
  EXPECT_GT(server.requests()[0].Unsent(), 10u << 20) << "of 40 MB";
  const Reading rest = ReadAll(paused);
  EXPECT_THAT(rest, EndsProperly());
  ASSERT_THAT(rest.events, SizeIs(kPieces + 1));
  for (int i = 0; i < kPieces; ++i) ASSERT_EQ(rest.events[i], event(i + 1)) << i;
}

// How far a call has got when it is cancelled.
struct Phase {
  const char* name;
  std::function<void(const Http2Stream&)> script;
  int events;  // that are read before
};
class Http2CancelTest : public Http2Test, public ::testing::WithParamInterface<Phase> {};
INSTANTIATE_TEST_SUITE_P(Phases, Http2CancelTest,
                         ::testing::Values(Phase{"BeforeTheHead", [](const Http2Stream&) {}, 0},
                                           Phase{"AfterTheHead", [](const Http2Stream& stream) { stream.StartSse(); },
                                                 0},
                                           Phase{"WithinTheBody",
                                                 [](const Http2Stream& stream) {
                                                   stream.StartSse();
                                                   stream.SendSse(kRunStart);
                                                 },
                                                 1},
                                           Phase{"Paused",
                                                 [](const Http2Stream& stream) {
                                                   stream.StartSse();
                                                   stream.SendSse(kRunStart);
                                                   stream.Send(ManyEvents());
                                                 },
                                                 1}),
                         [](const auto& phase) { return std::string(phase.param.name); });

// Alone on its connection, and beside another stream that is silent, or paused.
TEST_P(Http2CancelTest, ResetsItsStreamAlone) {
  for (const char* beside : {"nobody", "silent", "paused"}) {
    ScriptedHttp2Server server;
    const std::unique_ptr<Client> client = MakeClient(Http2Options(server));
    EventStream other;
    const bool alone = beside == std::string_view("nobody");
    if (!alone) {
      server.OnNextRequest([&](const Http2Stream& stream) {
        stream.StartSse();
        stream.SendSse(kRunStart);
        if (beside == std::string_view("paused")) stream.Send(ManyEvents());
      });
      other = client->recall().AskStream(Question());
      ASSERT_THAT(other.Read(), IsOk());
    }
    server.OnNextRequest(GetParam().script);
    EventStream stream = client->recall().AskStream(Question());
    for (int i = 0; i < GetParam().events; ++i) ASSERT_THAT(stream.Read(), IsOk());
    ASSERT_TRUE(server.AwaitRequests(alone ? 1 : 2));
    const Http2Stream cancelled = server.requests().back();
    ASSERT_TRUE(server.Await([&] { return cancelled.request().whole; }));
    stream.Cancel();
    EXPECT_TRUE(server.AwaitReset(cancelled)) << beside;

    server.OnRequest(WholeHttp2Run());
    EXPECT_THAT(AskAll(*client), EndsProperly());
    EXPECT_EQ(server.connections(), 1) << beside;
    if (alone) continue;
    EXPECT_EQ(server.reset(server.requests()[0]), std::nullopt);
    server.requests()[0].SendSse(kRunDone);
    server.requests()[0].End();
    EXPECT_THAT(ReadAll(other), EndsProperly());
  }
}

TEST_F(Http2FlowTest, PingsAreAnsweredWhileAStreamIsSilent) {
  ScriptedHttp2Server server;
  const std::unique_ptr<Client> client = MakeClient(Http2Options(server));
  Outcome outcome;
  client->recall().Search({}, {}, outcome.Callback());
  ASSERT_TRUE(server.AwaitRequests(1));
  server.requests()[0].Ping();
  EXPECT_TRUE(server.Await([&] { return server.pongs() == 1; }));
  server.requests()[0].Answer(200, "[]");
  EXPECT_THAT(outcome.Await(), IsOk());
}

// A peer that is there, but answers nothing any more, not even a PING.
TEST_F(Http2FlowTest, ADeadConnectionTakesNoFurtherCalls) {
  ScriptedHttp2Server server;
  server.OnRequest(RespondHttp2("[]"));
  Options options = Http2Options(server, 1);
  options.first_byte_timeout = absl::Seconds(3);
  const std::unique_ptr<Client> client = MakeClient(options);
  EXPECT_THAT(client->recall().Search({}), IsOk());
  server.requests()[0].Freeze();
  EXPECT_THAT(client->recall().Search({}), IsError(ErrorKind::kTimeout));
  EXPECT_THAT(client->recall().Search({}), IsOk());
  EXPECT_EQ(server.connections(), 2);
}

// The same, with callers who are less patient than the client, and one after the other.
TEST_F(Http2FlowTest, ADeadConnectionTakesNoFurtherCallsOfTheImpatient) {
  ScriptedHttp2Server server;
  server.OnRequest([](const Http2Stream& stream) { stream.Freeze(); });
  const std::unique_ptr<Client> client = MakeClient(Http2Options(server, 1));
  EXPECT_THAT(client->recall().Search({}, Within(absl::Seconds(3))), IsError(ErrorKind::kDeadline));
  server.OnRequest(RespondHttp2("[]"));
  EXPECT_THAT(client->recall().Search({}, Within(kWaitLimit)), IsOk());
  EXPECT_EQ(server.connections(), 2);
}

}  // namespace
}  // namespace igpt::testing
