// What an EventStream delivers: the events in order, each exactly once, and the right end.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "igpt/event_stream.h"
#include "tests/integration/sdk/sdk_fixture.h"

namespace igpt::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The ways to read a stream. Each returns at its end.
class Reader {
 public:
  // Blocking, on the test's thread.
  static Reading Blocking(unstable::EventLoop& /*loop*/, EventStream& stream) { return ReadAll(stream); }

  // With callbacks.
  static Reading Async(unstable::EventLoop& /*loop*/, EventStream& stream) {
    Reader reader(stream);
    reader.ReadNext();
    EXPECT_TRUE(reader.done_.Await());
    return std::move(reader.reading_);
  }

  // On the loop, without waiting while events are available.
  static Reading OnLoop(unstable::EventLoop& loop, EventStream& stream) {
    Reader reader(stream);
    loop.Post([&] { reader.TakeReadable(); });
    EXPECT_TRUE(reader.done_.Await());
    return std::move(reader.reading_);
  }

 private:
  explicit Reader(EventStream& stream) : stream_(stream) {}

  void ReadNext() {
    stream_.Read([this](EventResult result) {
      if (reading_.Take(std::move(result))) return ReadNext();
      done_.Set();
    });
  }

  void TakeReadable() {
    while (unstable::OnLoop::Readable(stream_)) {
      if (!reading_.Take(*unstable::OnLoop::TryRead(stream_))) return done_.Set();
    }
    EXPECT_EQ(unstable::OnLoop::TryRead(stream_), std::nullopt);
    unstable::OnLoop::WaitReadable(stream_, absl::InfiniteDuration(), [this] { TakeReadable(); });
  }

  EventStream& stream_;
  Reading reading_;
  Event done_;
};

class StreamTest : public ::testing::Test {
 protected:
  // What a client reads if `handler` answers.
  Reading Ask(Handler handler, AskRequest request = Question()) {
    server_.OnNextRequest(std::move(handler));
    return AskAll(*client_, std::move(request));
  }

  ScriptedHttpServer server_;
  const std::unique_ptr<unstable::EventLoop> loop_ = MakeLoop();
  const std::unique_ptr<Client> client_ = MakeClient(OptionsFor(server_), loop_.get());
};

TEST_F(StreamTest, EventsComeInOrderHoweverTheyAreRead) {
  std::vector<std::string> events = {std::string(kRunStart)};
  for (int i = 1; i < 50; ++i) events.push_back(DeltaEvent(i));
  events.emplace_back(kRunDone);
  for (const auto& read : {Reader::Blocking, Reader::Async, Reader::OnLoop}) {
    server_.OnNextRequest(Stream(events));
    EventStream stream = client_->recall().AskStream(Question());
    const Reading reading = read(*loop_, stream);
    EXPECT_THAT(reading, EndsProperly());
    EXPECT_EQ(reading.events, events);
    EXPECT_FALSE(stream.Read()->has_value()) << "the end stays the end";
  }
}

TEST_F(StreamTest, EventsAreReadAsTheyArrive) {
  Event read_first;
  ScriptedHttpServer server;
  server.OnRequest([&](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(DeltaEvent(1));
    exchange.WaitFor(read_first);
    exchange.SendSse(kRunDone);
    exchange.EndChunked();
  });
  const std::unique_ptr<Client> client = MakeClient(OptionsFor(server));
  EventStream stream = client->recall().AskStream(Question());
  const EventResult first = stream.Read();
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ((*first)->payload.As<Delta>()->text, "We ");
  EXPECT_EQ((*first)->seq, 1);
  EXPECT_EQ((*first)->type, "run.output_text.delta");
  read_first.Set();
  EXPECT_THAT(ReadAll(stream), EndsProperly());
}

TEST_F(StreamTest, WaitReadableEndsWithItsTimeout) {
  server_.OnNextRequest(Stall);
  EventStream stream = client_->recall().AskStream(Question());
  Event woken;
  RunOnLoop(*loop_, [&] {
    unstable::OnLoop::WaitReadable(stream, absl::InfiniteDuration(), [] { ADD_FAILURE() << "this wait was replaced"; });
    unstable::OnLoop::WaitReadable(stream, absl::Milliseconds(10), [&] {
      EXPECT_FALSE(unstable::OnLoop::Readable(stream));
      EXPECT_EQ(unstable::OnLoop::TryRead(stream), std::nullopt);
      woken.Set();
    });
  });
  EXPECT_TRUE(woken.Await());
}

// A Read replaces a wait that was about to be woken, after that event was taken: the Read waits for the next event.
TEST_F(StreamTest, ReadInPlaceOfAWaitGetsTheNextEvent) {
  Event took_first;
  ScriptedHttpServer server;
  server.OnRequest([&](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(DeltaEvent(1));
    exchange.WaitFor(took_first);
    exchange.SendSse(DeltaEvent(2));
    exchange.Stall();
  });
  const std::unique_ptr<Client> client = MakeClient(OptionsFor(server), loop_.get());
  EventStream stream = client->recall().AskStream(Question());
  Event second;
  RunOnLoop(*loop_, [&] {
    unstable::OnLoop::WaitReadable(stream, absl::InfiniteDuration(), [&] {
      unstable::OnLoop::WaitReadable(stream, absl::InfiniteDuration(),
                                     [] { ADD_FAILURE() << "this wait was replaced"; });
      EXPECT_EQ((*unstable::OnLoop::TryRead(stream))->value().seq, 1);
      stream.Read([&](EventResult result) {
        EXPECT_EQ(result->value().seq, 2);
        second.Set();
      });
      took_first.Set();
    });
  });
  EXPECT_TRUE(second.Await());
}

TEST_F(StreamTest, RunThatIsDoneNeedsNoProperEndOfItsBody) {
  for (const auto& end : {&Exchange::Close, &Exchange::Reset, &Exchange::Stall}) {
    Event read;
    ScriptedHttpServer server;
    server.OnRequest([&](Exchange& exchange) {
      exchange.StartSse();
      exchange.SendSse(kRunStart, kRunDone);
      exchange.WaitFor(read);
      (exchange.*end)();
    });
    const std::unique_ptr<Client> client = MakeClient(OptionsFor(server));
    EventStream stream = client->recall().AskStream(Question());
    EXPECT_THAT(stream.Read(), IsOk());
    EXPECT_THAT(stream.Read(), IsOk());
    read.Set();
    EXPECT_THAT(ReadAll(stream), EndsProperly());
  }
}

TEST_F(StreamTest, CleanEndWithAnOpenRunIsTruncated) {
  const Reading reading = Ask(Stream({std::string(kRunStart), DeltaEvent(1)}));
  EXPECT_THAT(reading.events, SizeIs(2));
  EXPECT_THAT(reading.end, IsError(ErrorKind::kTruncated));
  EXPECT_EQ(reading.error().events_delivered, 2);
  EXPECT_EQ(reading.error().call.attempts, 1);
}

TEST_F(StreamTest, CleanEndWithoutARunIsProper) {
  EXPECT_THAT(Ask(Stream({DeltaEvent(1), R"({"new":"kind"})"})), EndsProperly());
}

TEST_F(StreamTest, DoneMarkerIsNoEvent) {
  const Reading reading = Ask(Stream({DeltaEvent(1), "[DONE]"}));
  EXPECT_THAT(reading, EndsProperly());
  EXPECT_THAT(reading.events, ElementsAre(DeltaEvent(1)));
}

TEST_F(StreamTest, StreamWithoutAnEventIsNoAnswer) {
  const Handler cases[] = {
      Stream({}),
      Stream({"[DONE]"}),
      Respond(200, "", {{"Content-Type", "text/event-stream"}}),
      Respond(200, ": comment\n\n", {{"Content-Type", "text/event-stream"}}),
  };
  for (const Handler& handler : cases) EXPECT_THAT(Ask(handler).end, IsError(ErrorKind::kProtocol));
}

TEST_F(StreamTest, ErrorEventEndsTheStreamAfterTheEventsBeforeIt) {
  struct {
    std::string code;
    ErrorKind kind;
  } cases[] = {{"auth", ErrorKind::kAuth}, {"params", ErrorKind::kParams}, {"quota", ErrorKind::kApi}};
  for (const auto& [code, kind] : cases) {
    const Reading reading = Ask(Stream({std::string(kRunStart), DeltaEvent(1), R"({"error":")" + code + R"("})",
                                        DeltaEvent(2), std::string(kRunDone)}));
    EXPECT_THAT(reading.events, ElementsAre(kRunStart, DeltaEvent(1)));
    EXPECT_THAT(reading.end, IsError(kind));
    EXPECT_EQ(reading.error().events_delivered, 2);
    EXPECT_EQ(reading.error().api_code, kind == ErrorKind::kApi ? code : "");
  }
}

TEST_F(StreamTest, MalformedEventEndsTheStreamAfterTheEventsBeforeIt) {
  for (const std::string& bad : {std::string("{\"type\":"), std::string("{\"delta\":\"\xFF\"}"),
                                 std::string(100, '[') + std::string(100, ']')}) {
    const Reading reading = Ask(Stream({DeltaEvent(1), bad, std::string(kRunDone)}));
    EXPECT_THAT(reading.events, ElementsAre(DeltaEvent(1)));
    EXPECT_THAT(reading.end, IsError(ErrorKind::kMalformed));
    EXPECT_EQ(reading.error().events_delivered, 1);
  }
}

TEST_F(StreamTest, JsonAnswerIsOneEvent) {
  const std::string answer = R"({"output":"We will.","usage":{"total_tokens":7}})";
  server_.OnRequest(Respond(200, answer));
  for (const bool whole_answer : {false, true}) {
    EventStream stream = whole_answer ? unstable::OnLoop::AskWhole(client_->recall(), Question(), {})
                                      : client_->recall().AskStream(Question());
    const EventResult event = stream.Read();
    ASSERT_THAT(event, IsOk());
    EXPECT_EQ(std::get<Text>((*event)->payload.As<Answer>()->output).text, "We will.");
    EXPECT_EQ((*event)->raw_json, answer);
    EXPECT_THAT(ReadAll(stream), EndsProperly());
  }
  EXPECT_THAT(server_.requests()[1].body, ::testing::HasSubstr(R"("stream":false)"));
  EXPECT_EQ(server_.requests()[1].Header("Accept"), "application/json");
}

TEST_F(StreamTest, WhatIsNoAnswerIsRefused) {
  const std::string stream = "data: {}\n\n";
  const Handler cases[] = {
      Respond(200, "<html>", {{"Content-Type", "text/html; charset=utf-8"}}),
      Respond(200, ""),
      Respond(204, ""),
      Respond(200, "not JSON"),
      Respond(200, stream, {{"Content-Type", "text/event-stream"}, {"Content-Encoding", "gzip"}}),
      Respond(302, stream, {{"Content-Type", "text/event-stream"}, {"Location", server_.url("/elsewhere")}}),
      Respond(308, stream, {{"Content-Type", "text/event-stream"}, {"Location", server_.url("/elsewhere")}}),
  };
  for (const Handler& handler : cases) {
    const Reading reading = Ask(handler);
    EXPECT_THAT(reading.events, IsEmpty());
    EXPECT_THAT(reading.end, IsError(ErrorKind::kProtocol));
  }
  for (const HttpRequest& request : server_.requests()) EXPECT_EQ(request.target, "/v1/recall/ask/");
  EXPECT_THAT(server_.requests(), SizeIs(std::size(cases)));
}

TEST_F(StreamTest, BlockingFormsAreRefusedOnTheLoop) {
  const auto refused = StatusIs(absl::StatusCode::kFailedPrecondition);
  server_.OnRequest(Stall);
  EventStream stream = client_->recall().AskStream(Question());
  RunOnLoop(*loop_, [&] {
    EXPECT_THAT(stream.Read(), refused);
    EXPECT_THAT(client_->recall().Ask(Question()), refused);
    EXPECT_THAT(client_->recall().Search({}), refused);
    EXPECT_THAT(client_->datasources().List({}), refused);
    EXPECT_THAT(client_->datasources().Disconnect(DisconnectSpike()), refused);
    EXPECT_THAT(client_->connectors().Authorize(ConnectSpike()), refused);
  });
}

TEST_F(StreamTest, CallbacksComeAfterTheirCallReturned) {
  server_.OnRequest(WholeRun());
  EventStream stream = client_->recall().AskStream(Question());
  EXPECT_THAT(ReadAll(stream), EndsProperly());
  Event done;
  bool returned = false;
  RunOnLoop(*loop_, [&] {
    stream.Read([&](const EventResult& result) {
      EXPECT_TRUE(returned);
      EXPECT_FALSE(result->has_value());
    });
    client_->recall().Ask({}, {}, [&](const absl::StatusOr<Answer>& result) {
      EXPECT_TRUE(returned);
      EXPECT_THAT(result, IsError(ErrorKind::kInvalidRequest));
      done.Set();
    });
    returned = true;
  });
  EXPECT_TRUE(done.Await());
}

}  // namespace
}  // namespace igpt::testing
