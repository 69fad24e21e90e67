// Cancels, deadlines and stopped readers: each must end the request to iGPT.
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/integration/igptd/igptd_fixture.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using grpc::StatusCode;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

void ExpectOneLine(Igptd& igptd, const std::string& code, const std::string& reason) {
  igptd.Stop();
  const std::vector<nlohmann::json> calls = igptd.CallLines();
  ASSERT_THAT(calls, SizeIs(1));
  EXPECT_EQ(calls[0]["code"], code);
  EXPECT_EQ(calls[0].value("reason", ""), reason);
}

Prepare Within(absl::Duration limit) {
  return [limit](grpc::ClientContext& context) { context.set_deadline(absl::ToChronoTime(absl::Now() + limit)); };
}

void Stall(Exchange& exchange) {
  exchange.Stall();
}

void StallAfterTheFirstEvent(Exchange& exchange) {
  exchange.StartSse();
  exchange.SendSse(kRunStart);
  exchange.Stall();
}

TEST(IgptdCancelTest, BeforeTheHead) {
  Igptd igptd;
  igptd.upstream.OnRequest(Stall);
  grpc::ClientContext context;
  const auto reader = igptd.recall->Ask(&context, AskFor("ada", "?"));
  ASSERT_TRUE(igptd.upstream.AwaitRequests(1));
  EXPECT_FALSE(igptd.upstream.closed_at(1));
  context.TryCancel();
  EXPECT_TRUE(igptd.upstream.AwaitClosed(1));
  EXPECT_EQ(ReadAll(context, *reader).status.error_code(), StatusCode::CANCELLED);
  ExpectOneLine(igptd, "CANCELLED", "REQUEST_ABORTED");
}

TEST(IgptdCancelTest, MidStream) {
  Igptd igptd;
  igptd.upstream.OnRequest(StallAfterTheFirstEvent);
  grpc::ClientContext context;
  const auto reader = igptd.recall->Ask(&context, AskFor("ada", "?"));
  v1::AskResponse event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_TRUE(event.event().has_started());
  context.TryCancel();
  EXPECT_TRUE(igptd.upstream.AwaitClosed(1));
  EXPECT_EQ(ReadAll(context, *reader).status.error_code(), StatusCode::CANCELLED);
  ExpectOneLine(igptd, "CANCELLED", "REQUEST_ABORTED");
}

TEST(IgptdCancelTest, BetweenTwoAttempts) {
  Igptd igptd;
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(503, "", {{"Retry-After", "10"}}); });
  grpc::ClientContext context;
  const auto reader = igptd.recall->Ask(&context, AskFor("ada", "?"));
  ASSERT_TRUE(igptd.upstream.AwaitRequests(1));
  context.TryCancel();
  EXPECT_EQ(ReadAll(context, *reader).status.error_code(), StatusCode::CANCELLED);
  ExpectOneLine(igptd, "CANCELLED", "REQUEST_ABORTED");
  EXPECT_THAT(igptd.upstream.requests(), SizeIs(1));
}

// A caller that disappears: its connection ends, and so do its calls.
TEST(IgptdCancelTest, TheConnectionEnds) {
  Igptd igptd;
  igptd.upstream.OnRequest(StallAfterTheFirstEvent);
  auto channel = igptd.NewChannel();
  auto stub = v1::RecallService::NewStub(channel);
  {
    grpc::ClientContext context;
    const auto reader = stub->Ask(&context, AskFor("ada", "?"));
    v1::AskResponse event;
    ASSERT_TRUE(reader->Read(&event));
  }  // destroying the context cancels its call
  EXPECT_TRUE(igptd.upstream.AwaitClosed(1));
  ExpectOneLine(igptd, "CANCELLED", "REQUEST_ABORTED");
}

TEST(IgptdCancelTest, ADeadlineBeforeTheHead) {
  Igptd igptd;
  igptd.upstream.OnRequest(Stall);
  const Stream stream = igptd.Ask(AskFor("ada", "?"), Within(absl::Milliseconds(200)));
  EXPECT_EQ(stream.status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(igptd.upstream.AwaitClosed(1));
  ExpectOneLine(igptd, "DEADLINE_EXCEEDED", "DEADLINE");
}

TEST(IgptdCancelTest, ADeadlineMidStream) {
  Igptd igptd;
  igptd.upstream.OnRequest(StallAfterTheFirstEvent);
  const Stream stream = igptd.Ask(AskFor("ada", "?"), Within(absl::Milliseconds(500)));
  EXPECT_EQ(stream.status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(stream.events, SizeIs(1));
  EXPECT_TRUE(igptd.upstream.AwaitClosed(1));
  ExpectOneLine(igptd, "DEADLINE_EXCEEDED", "DEADLINE");
}

TEST(IgptdCancelTest, UnaryCalls) {
  Igptd igptd;
  igptd.upstream.OnRequest(Stall);
  v1::ListRequest list;
  list.set_user("ada");
  EXPECT_EQ(igptd.List(list, Within(absl::Milliseconds(200))).status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(igptd.upstream.AwaitClosed(1));

  v1::SearchRequest search;
  search.set_user("ada");
  grpc::ClientContext context;
  std::thread canceller([&] {
    EXPECT_TRUE(igptd.upstream.AwaitRequests(2));
    context.TryCancel();
  });
  v1::SearchResponse response;
  EXPECT_EQ(igptd.recall->Search(&context, search, &response).error_code(), StatusCode::CANCELLED);
  canceller.join();
  EXPECT_TRUE(igptd.upstream.AwaitClosed(2));
  igptd.Stop();
  const std::vector<nlohmann::json> calls = igptd.CallLines();
  ASSERT_THAT(calls, SizeIs(2));
  EXPECT_EQ(calls[0]["reason"], "DEADLINE");
  EXPECT_EQ(calls[1]["reason"], "REQUEST_ABORTED");
}

// An endless stream of large events. igptd holds iGPT back when the caller stops reading, so this ends only with the
// call.
void Flood(Exchange& exchange) {
  exchange.StartSse();
  exchange.SendSse(kRunStart);
  const std::string event = DeltaEvent(1, std::string(60'000, 'a'));
  while (exchange.SendSse(event)) {
  }
}

TEST(IgptdCancelTest, AReaderThatStoppedCanStillCancel) {
  Igptd igptd({"--max_answer_bytes=1GiB"});
  size_t sent = 0;
  Event held_back;
  igptd.upstream.OnRequest([&](Exchange& exchange) {
    exchange.StartSse();
    sent = exchange.SendUntilBlocked(Chunk(SseEvent(DeltaEvent(1, std::string(60'000, 'a')))), 64 << 20);
    held_back.Set();
    exchange.Stall();
  });
  {
    const auto stub = v1::RecallService::NewStub(igptd.NewChannel());
    grpc::ClientContext context;
    const auto reader = stub->Ask(&context, AskFor("ada", "?"));
    v1::AskResponse event;
    ASSERT_TRUE(reader->Read(&event));
    ASSERT_TRUE(held_back.Await());
    EXPECT_LT(sent, 16U << 20);  // igptd's memory is bounded, so it didn't read everything
    context.TryCancel();
    EXPECT_TRUE(igptd.upstream.AwaitClosed(1));
    reader->Finish();
  }
  ExpectOneLine(igptd, "CANCELLED", "REQUEST_ABORTED");
}

TEST(IgptdCancelTest, AReaderThatStopsIsGivenUpAndDisturbsNobody) {
  Event given_up;
  Igptd igptd({"--stalled_reader_timeout=300ms", "--max_answer_bytes=1GiB"});
  igptd.upstream.OnNextRequest(Flood);
  igptd.upstream.OnNextRequest([&](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(kRunStart);
    for (int i = 1; i <= 100 && exchange.SendSse(DeltaEvent(i, "a")); ++i) {
    }
    exchange.WaitFor(given_up);
    exchange.SendSse(kRunDone);
    exchange.EndChunked();
  });
  grpc::ClientContext stopped_context;
  const auto stopped = igptd.recall->Ask(&stopped_context, AskFor("ada", "?"));
  v1::AskResponse event;
  ASSERT_TRUE(stopped->Read(&event));  // and no more
  ASSERT_TRUE(igptd.upstream.AwaitRequests(1));

  // Another caller, on the same loop half of the time, that reads steadily. It has its own connection, since calls on
  // one connection share its window.
  const auto steady_recall = v1::RecallService::NewStub(igptd.NewChannel());
  grpc::ClientContext steady_context;
  const auto steady = steady_recall->Ask(&steady_context, AskFor("bob", "?"));
  Stream rest;
  std::thread reader([&] { rest = ReadAll(steady_context, *steady); });
  EXPECT_TRUE(igptd.upstream.AwaitClosed(1));
  given_up.Set();
  reader.join();
  EXPECT_THAT(rest.status, IsOkStatus());
  EXPECT_THAT(rest.events, SizeIs(102));

  const Stream stalled = ReadAll(stopped_context, *stopped);
  EXPECT_EQ(stalled.status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(stalled.status.error_message(), ::testing::HasSubstr("not read for too long"));
  igptd.Stop();
  std::vector<std::string> reasons;  // in either order
  for (const nlohmann::json& call : igptd.CallLines()) reasons.push_back(call.value("reason", "none"));
  EXPECT_THAT(reasons, UnorderedElementsAre("SLOW_CONSUMER", "none"));
}

}  // namespace
}  // namespace igpt::testing
