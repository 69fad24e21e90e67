// The ways to read a stream, and the ways to end a call from outside.
#include <coroutine>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "tests/integration/sdk/sdk_fixture.h"

namespace igpt::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr std::string_view kSources =
    R"({"type":"run.done","seq":99,"id":"r1","output":"We will.","metadata":{"sources":[{"id":"m1"}]}})";

class SdkStreamFormsTest : public ::testing::Test {
 protected:
  EventStream Ask(CallOptions options = {}) { return client_->recall().AskStream(Question(), std::move(options)); }

  ScriptedHttpServer server_;
  const std::unique_ptr<Client> client_ = MakeClient(OptionsFor(server_));
};

Handler Truncated() {
  return [](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(kRunStart, DeltaEvent(1));
    exchange.EndChunked();
  };
}

TEST_F(SdkStreamFormsTest, Next) {
  server_.OnNextRequest(WholeRun());
  EventStream whole = Ask();
  RunEvent event;
  std::vector<std::string> events;
  while (whole.Next(&event)) events.push_back(event.raw_json);
  EXPECT_THAT(whole.status(), IsOk());
  EXPECT_THAT(events, ElementsAre(kRunStart, DeltaEvent(1), kRunDone));
  EXPECT_FALSE(whole.Next(&event));

  server_.OnNextRequest(Truncated());
  EventStream cut = Ask();
  while (cut.Next(&event)) EXPECT_THAT(cut.status(), IsOk());
  EXPECT_THAT(cut.status(), IsError(ErrorKind::kTruncated));
  EXPECT_FALSE(cut.Next(&event));
}

TEST_F(SdkStreamFormsTest, Range) {
  server_.OnNextRequest(WholeRun());
  int events = 0;
  EventStream whole = Ask();
  for (const absl::StatusOr<RunEvent>& event : whole) {
    EXPECT_THAT(event, IsOk());
    ++events;
  }
  EXPECT_EQ(events, 3);

  server_.OnNextRequest(Truncated());
  EventStream cut = Ask();
  std::vector<absl::Status> seen;
  for (const absl::StatusOr<RunEvent>& event : cut) seen.push_back(event.status());
  ASSERT_THAT(seen, SizeIs(3));
  EXPECT_THAT(seen[1], IsOk());
  EXPECT_THAT(seen[2], IsError(ErrorKind::kTruncated));

  server_.OnNextRequest(Respond(401, "{}"));
  EventStream refused = Ask();
  seen.clear();
  for (const absl::StatusOr<RunEvent>& event : refused) seen.push_back(event.status());
  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_THAT(seen[0], IsError(ErrorKind::kAuth));
}

TEST_F(SdkStreamFormsTest, ForEachText) {
  server_.OnNextRequest(Stream({std::string(kRunStart), DeltaEvent(1), DeltaEvent(2), std::string(kRunDone)}));
  std::string text;
  const auto take = [&text](std::string_view piece) { text += piece; };
  EXPECT_THAT(Ask().ForEachText(take), IsOk());
  EXPECT_EQ(text, "We We ");
  server_.OnNextRequest(Truncated());
  EXPECT_THAT(Ask().ForEachText(take), IsError(ErrorKind::kTruncated));
}

TEST_F(SdkStreamFormsTest, Finish) {
  server_.OnNextRequest(Stream({std::string(kRunStart), DeltaEvent(1), std::string(kSources)}));
  EventStream stream = Ask();
  RunEvent event;
  ASSERT_TRUE(stream.Next(&event));
  const absl::StatusOr<Answer> answer = stream.Finish();
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->id, "r1");
  EXPECT_EQ(std::get<Text>(answer->output).text, "We will.");
  EXPECT_THAT(answer->sources, SizeIs(1));
  EXPECT_EQ(answer->raw_json, kSources);
  EXPECT_EQ(stream.Finish()->id, "r1");  // again

  // With what was read in another way.
  server_.OnNextRequest(Stream({DeltaEvent(1), DeltaEvent(2)}));
  EventStream begun = Ask();
  EXPECT_THAT(begun.Read(), IsOk());
  EXPECT_EQ(std::get<Text>(begun.Finish()->output).text, "We We ");

  // Pieces alone, in a body that ends as a whole one does.
  server_.OnNextRequest(Stream({DeltaEvent(1), DeltaEvent(2)}));
  EXPECT_EQ(std::get<Text>(Ask().Finish()->output).text, "We We ");

  server_.OnNextRequest(Truncated());
  EXPECT_THAT(Ask().Finish(), IsError(ErrorKind::kTruncated));
}

TEST_F(SdkStreamFormsTest, ReadUntil) {
  Event go;
  server_.OnNextRequest([&](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(kRunStart);
    exchange.WaitFor(go);
    exchange.SendSse(kRunDone);
    exchange.EndChunked();
  });
  EventStream stream = Ask();
  EXPECT_TRUE(stream.ReadUntil(MonotonicTime::InfiniteFuture()).has_value());
  EXPECT_EQ(stream.ReadUntil(MonotonicTime::Now() + absl::Milliseconds(5)), std::nullopt);
  EXPECT_EQ(stream.ReadUntil(MonotonicTime::Now()), std::nullopt);
  EXPECT_THAT(stream.status(), IsOk());
  go.Set();
  EXPECT_THAT(ReadAll(stream), EndsProperly());
  EXPECT_TRUE(stream.ReadUntil(MonotonicTime::Now()).has_value());  // the end is there for good
}

// A coroutine that nobody waits for.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

Detached ReadInACoroutine(EventStream stream, std::vector<std::string>* events, Event* done) {
  for (EventResult event = co_await stream.AsyncRead(); event.ok() && event->has_value();
       event = co_await stream.AsyncRead()) {
    events->push_back((*event)->raw_json);
  }
  done->Set();
}

TEST_F(SdkStreamFormsTest, Coroutine) {
  server_.OnNextRequest(WholeRun());
  std::vector<std::string> events;
  Event done;
  ReadInACoroutine(Ask(), &events, &done);
  ASSERT_TRUE(done.Await());
  EXPECT_THAT(events, ElementsAre(kRunStart, DeltaEvent(1), kRunDone));
}

TEST_F(SdkStreamFormsTest, Moved) {
  server_.OnRequest(WholeRun());
  EventStream stream = Ask();
  EXPECT_THAT(stream.Read(), IsOk());
  EventStream moved = std::move(stream);
  EXPECT_THAT(ReadAll(moved), EndsProperly());
  moved = Ask();
  EXPECT_THAT(ReadAll(moved), EndsProperly());

  EventStream none;
  EXPECT_EQ(none.Read().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(none.Finish().status().code(), absl::StatusCode::kFailedPrecondition);
  RunEvent event;
  EXPECT_FALSE(none.Next(&event));
  EXPECT_EQ(none.status().code(), absl::StatusCode::kFailedPrecondition);
  none.Cancel();
  Outcome read;
  none.Read(read.Callback());
  EXPECT_EQ(read.Await().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SdkStreamFormsTest, Timeout) {
  server_.OnRequest(Stall);
  CallOptions options;
  options.timeout = absl::Milliseconds(20);
  EXPECT_THAT(client_->recall().Search({}, options), IsError(ErrorKind::kDeadline));
  EXPECT_THAT(Ask(options).Read(), IsError(ErrorKind::kDeadline));
  options.deadline = MonotonicTime::Now() + absl::Hours(1);
  EXPECT_THAT(client_->recall().Search({}, options), IsError(ErrorKind::kDeadline));
  options.timeout = absl::Hours(1);
  options.deadline = MonotonicTime::Now() + absl::Milliseconds(20);
  EXPECT_THAT(client_->recall().Search({}, options), IsError(ErrorKind::kDeadline));
  options.timeout = -absl::InfiniteDuration();
  EXPECT_THAT(client_->recall().Search({}, options), IsError(ErrorKind::kDeadline));
}

TEST_F(SdkStreamFormsTest, StopToken) {
  server_.OnRequest(Stall);
  std::stop_source stop;
  CallOptions options;
  options.stop = stop.get_token();
  Outcome list;
  client_->datasources().List({}, options, list.Callback());
  EventStream stream = Ask(options);
  std::thread stopper([&] {
    EXPECT_TRUE(server_.AwaitRequests(3));
    stop.request_stop();
  });
  EXPECT_THAT(client_->recall().Search({}, options), IsError(ErrorKind::kAborted));
  EXPECT_THAT(list.Await(), IsError(ErrorKind::kAborted));
  EXPECT_THAT(stream.Read(), IsError(ErrorKind::kAborted));
  stopper.join();
  EXPECT_THAT(client_->recall().Search({}, options), IsError(ErrorKind::kAborted)) << "was stopped before";

  // A stop after the end changes nothing.
  server_.OnRequest(Respond(200, "[]"));
  std::stop_source late;
  options.stop = late.get_token();
  EXPECT_THAT(client_->recall().Search({}, options), IsOk());
  late.request_stop();
}

}  // namespace
}  // namespace igpt::testing
