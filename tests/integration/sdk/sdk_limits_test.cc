// The limits of a call: sizes, times, and a reader that doesn't read.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "tests/integration/sdk/sdk_fixture.h"

namespace igpt::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

// An event of exactly `size` bytes.
std::string EventOf(size_t size) {
  const std::string_view frame = R"({"delta":""})";
  return R"({"delta":")" + std::string(size - frame.size(), 'x') + R"("})";
}

TEST(SdkLimitsTest, EventSize) {
  constexpr size_t kLimit = 100;
  ScriptedHttpServer server;
  Options options = OptionsFor(server);
  options.max_event_bytes = kLimit;
  const std::unique_ptr<Client> client = MakeClient(options);
  for (const size_t size : {kLimit - 1, kLimit, kLimit + 1}) {
    server.OnNextRequest(Stream({DeltaEvent(1), EventOf(size), DeltaEvent(2)}));
    const Reading reading = AskAll(*client);
    if (size <= kLimit) {
      EXPECT_THAT(reading, EndsProperly()) << size;
      EXPECT_THAT(reading.events, SizeIs(3));
    } else {
      EXPECT_THAT(reading.end, IsError(ErrorKind::kTooLarge));
      EXPECT_THAT(reading.events, ElementsAre(DeltaEvent(1)));
      EXPECT_EQ(reading.error().events_delivered, 1);
    }
  }
}

TEST(SdkLimitsTest, AnswerSize) {
  const std::string answer = R"({"output":"We will."})";
  for (const size_t limit : {answer.size() - 1, answer.size(), answer.size() + 1}) {
    ScriptedHttpServer server;
    Options options = OptionsFor(server);
    options.max_answer_bytes = limit;
    const std::unique_ptr<Client> client = MakeClient(options);
    server.OnRequest(Respond(200, answer));
    const absl::Status unary = client->recall().Ask(Question()).status();
    const Reading whole = AskAll(*client);
    server.OnRequest(Stream({answer}));
    const Reading streamed = AskAll(*client);
    if (limit >= answer.size()) {
      EXPECT_THAT(unary, IsOk());
      EXPECT_THAT(whole, EndsProperly());
      EXPECT_THAT(streamed, EndsProperly());
    } else {
      EXPECT_THAT(unary, IsError(ErrorKind::kTooLarge));
      EXPECT_THAT(whole.end, IsError(ErrorKind::kTooLarge));
      EXPECT_THAT(streamed.end, IsError(ErrorKind::kTooLarge));
    }
  }
}

TEST(SdkLimitsTest, AnswerSizeCountsAllEventsOfAStream) {
  ScriptedHttpServer server;
  Options options = OptionsFor(server);
  options.max_answer_bytes = DeltaEvent(1).size() * 2;
  const std::unique_ptr<Client> client = MakeClient(options);
  server.OnRequest(Stream({DeltaEvent(1), DeltaEvent(2)}));
  EXPECT_THAT(AskAll(*client), EndsProperly());
  server.OnRequest(Stream({DeltaEvent(1), DeltaEvent(2), "{}"}));
  const Reading reading = AskAll(*client);
  EXPECT_THAT(reading.events, ElementsAre(DeltaEvent(1), DeltaEvent(2)));
  EXPECT_THAT(reading.end, IsError(ErrorKind::kTooLarge));
}

// When a stream is held back, libcurl keeps what it has already read from the socket, and delivers it when the reader
// continues. Errors in that part must be found too.
TEST(SdkLimitsTest, EventSizeAfterTheStreamWasHeldBack) {
  constexpr size_t kEvents = 2100;  // more than are buffered, in less than two reads of the socket
  std::string stream;
  for (size_t i = 0; i < kEvents; ++i) stream += Chunk(SseEvent("{}"));
  stream += Chunk(SseEvent(EventOf(201))) + Chunk(SseEvent("{}"));
  Event sent;
  ScriptedHttpServer server;
  server.OnNextRequest([&](Exchange& exchange) {
    exchange.StartSse();
    exchange.Send(stream);
    sent.Set();
    exchange.Stall();
  });
  server.OnRequest(Respond(200, "[]"));
  Options options = OptionsFor(server);
  options.max_event_bytes = 200;
  options.idle_timeout = absl::Seconds(5);
  const std::unique_ptr<Client> client = MakeClient(options);
  EventStream held_back = client->recall().AskStream(Question());
  ASSERT_TRUE(sent.Await());
  EXPECT_THAT(client->recall().Search({}), IsOk());  // after it, the loop has read the events
  const Reading reading = ReadAll(std::move(held_back));
  EXPECT_THAT(reading.end, IsError(ErrorKind::kTooLarge));
  EXPECT_THAT(reading.events, SizeIs(kEvents));
}

// Asks, and expects a timeout of `timer` after this many events; if 0, also for a unary call.
void ExpectTimeout(const Options& options, const std::string& timer, int64_t events) {
  const std::unique_ptr<Client> client = MakeClient(options);
  const Reading reading = AskAll(*client);
  EXPECT_THAT(reading.end, IsError(ErrorKind::kTimeout));
  EXPECT_EQ(reading.error().timer, timer);
  EXPECT_EQ(reading.error().events_delivered, events);
  EXPECT_EQ(reading.end.status().code(),
            events == 0 ? absl::StatusCode::kUnavailable : absl::StatusCode::kDeadlineExceeded);
  if (events > 0) return;
  const absl::Status unary = client->recall().Search({}).status();
  EXPECT_THAT(unary, IsError(ErrorKind::kTimeout));
  EXPECT_EQ(ErrorOf(unary)->timer, timer);
}

void StallAfterAnEvent(Exchange& exchange) {
  exchange.StartSse();
  exchange.SendSse(DeltaEvent(1));
  exchange.Stall();
}

TEST(SdkLimitsTest, ConnectTimeout) {
  const ScriptedHttpServer server(ScriptedHttpServer::Mode::kNoHandshake);
  Options options = OptionsFor(server);
  options.connect_timeout = absl::Milliseconds(100);
  ExpectTimeout(options, "connect", 0);
}

TEST(SdkLimitsTest, FirstByteTimeout) {
  ScriptedHttpServer server;
  server.OnRequest(Stall);
  Options options = OptionsFor(server);
  options.max_retries = 3;
  options.first_byte_timeout = absl::Milliseconds(100);
  ExpectTimeout(options, "first_byte", 0);
  EXPECT_THAT(server.requests(), SizeIs(2)) << "a model that is slow is not asked again";
  EXPECT_TRUE(server.AwaitClosed(1));
  EXPECT_TRUE(server.AwaitClosed(2));
}

TEST(SdkLimitsTest, FirstByteTimeoutWhenTheRequestIsNotRead) {
  const ScriptedHttpServer server(ScriptedHttpServer::Mode::kNeverRead);
  Options options = OptionsFor(server);
  options.first_byte_timeout = absl::Milliseconds(100);
  ExpectTimeout(options, "first_byte", 0);
}

TEST(SdkLimitsTest, IdleTimeout) {
  ScriptedHttpServer server;
  Options options = OptionsFor(server);
  options.idle_timeout = absl::Seconds(1);
  server.OnRequest(StallAfterAnEvent);
  ExpectTimeout(options, "idle", 1);
  EXPECT_TRUE(server.AwaitClosed(1));
  server.OnRequest([](Exchange& exchange) {  // before an event, and in a unary answer
    exchange.SendHead(200, {{"Content-Type", "application/json"}, {"Content-Length", "2"}});
    exchange.Stall();
  });
  ExpectTimeout(options, "idle", 0);
}

TEST(SdkLimitsTest, TotalTimeout) {
  ScriptedHttpServer server;
  Options options = OptionsFor(server);
  options.max_call_duration = absl::Milliseconds(300);
  server.OnRequest(Stall);
  ExpectTimeout(options, "total", 0);
  options.max_call_duration = absl::Seconds(1);
  server.OnRequest(StallAfterAnEvent);
  ExpectTimeout(options, "total", 1);
}

// The limit for the whole call counts even while an answer trickles in.
TEST(SdkLimitsTest, TotalTimeoutOfATrickle) {
  ScriptedHttpServer server;
  Options options = OptionsFor(server);
  options.max_call_duration = absl::Milliseconds(300);
  server.OnRequest([](Exchange& exchange) {
    exchange.StartSse();
    while (exchange.SendChunk(":\n") && !exchange.AwaitPeerClosed(absl::Milliseconds(20))) {
    }
  });
  EXPECT_EQ(AskAll(*MakeClient(options)).error().timer, "total");
}

TEST(SdkLimitsTest, Deadline) {
  ScriptedHttpServer server;
  server.OnRequest(Stall);
  const std::unique_ptr<Client> client = MakeClient(OptionsFor(server));
  EXPECT_THAT(AskAll(*client, Question(), Within(absl::Milliseconds(200))).end, IsError(ErrorKind::kDeadline));
  EXPECT_THAT(client->recall().Search({}, Within(absl::Milliseconds(200))), IsError(ErrorKind::kDeadline));
  EXPECT_TRUE(server.AwaitClosed(1));
  EXPECT_TRUE(server.AwaitClosed(2));

  EXPECT_THAT(AskAll(*client, Question(), Within(absl::Seconds(-1))).end, IsError(ErrorKind::kDeadline));
  EXPECT_THAT(client->recall().Search({}, Within(-absl::InfiniteDuration())), IsError(ErrorKind::kDeadline));
  EXPECT_EQ(server.connections(), 2) << "nothing is sent when the deadline has passed";
}

TEST(SdkLimitsTest, SlowReaderHoldsItsOwnStreamBackAndNoOther) {
  constexpr size_t kAll = 64 << 20;
  constexpr size_t kBounded = 8 << 20;  // the sockets' buffers above all
  const std::string piece = Chunk(SseEvent(EventOf(10'000)));
  Event blocked, go;
  size_t sent = 0;
  ScriptedHttpServer server;
  server.OnNextRequest([&](Exchange& exchange) {
    exchange.StartSse();
    sent = exchange.SendUntilBlocked(piece, kAll);
    blocked.Set();
    exchange.WaitFor(go);
    for (int i = 1; i <= 100; ++i) exchange.SendSse(DeltaEvent(i));
    exchange.EndChunked();
  });
  server.OnRequest(Respond(200, "[]"));
  Options options = OptionsFor(server);
  options.max_answer_bytes = 1 << 30;
  options.idle_timeout = absl::Milliseconds(200);  // doesn't run while the stream is held back
  const std::unique_ptr<Client> client = MakeClient(options);
  EventStream stream = client->recall().AskStream(Question());

  ASSERT_TRUE(blocked.Await());
  EXPECT_LT(sent, kBounded);
  for (int i = 0; i < 3; ++i) EXPECT_THAT(client->recall().Search({}), IsOk());

  go.Set();
  const Reading reading = ReadAll(stream);
  EXPECT_THAT(reading, EndsProperly());
  const size_t pieces = (sent + piece.size() - 1) / piece.size();
  ASSERT_THAT(reading.events, SizeIs(pieces + 100));
  for (int i = 1; i <= 100; ++i) EXPECT_EQ(reading.events[pieces + static_cast<size_t>(i) - 1], DeltaEvent(i));
}

}  // namespace
}  // namespace igpt::testing
