// What is known of a call: in its answer, its error and its report.
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "igpt/observer.h"
#include "tests/integration/sdk/sdk_fixture.h"

namespace igpt::testing {
namespace {

using ::testing::Gt;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;

const HttpHeaders kHeaders = {{"X-Igpt-Id", "i-1"}, {"Set-Cookie", "secret"}};

// Keeps the reports of calls.
class Reports final : public Observer {
 public:
  struct Kept {
    std::string route;
    CallInfo call;
    std::optional<ErrorKind> error;
    int64_t events_delivered;
    bool held_back;
  };

  void OnCallEnd(const CallReport& report) override {
    const std::lock_guard lock(mutex_);
    kept_.push_back({std::string(report.route), report.call, report.error, report.events_delivered, report.held_back});
  }
  std::vector<Kept> kept() {
    const std::lock_guard lock(mutex_);
    return kept_;
  }

 private:
  std::mutex mutex_;  // guards what follows
  std::vector<Kept> kept_;
};

class SdkCallInfoTest : public ::testing::Test {
 protected:
  std::unique_ptr<Client> Connect(int attempts = 1) {
    Options options = OptionsFor(server_);
    options.max_retries = attempts;
    options.observer = reports_;
    return MakeClient(options);
  }

  // Of the only call.
  void ExpectReported(const CallInfo& call, std::optional<ErrorKind> error) {
    ASSERT_THAT(reports_->kept(), SizeIs(1));
    const Reports::Kept report = reports_->kept().front();
    EXPECT_EQ(report.error, error);
    EXPECT_EQ(report.call.request_id, call.request_id);
    EXPECT_EQ(report.call.attempts, call.attempts);
    EXPECT_EQ(report.call.http_status, call.http_status);
    EXPECT_EQ(report.call.headers.lines(), call.headers.lines());
    EXPECT_FALSE(report.held_back);
  }

  const absl::Time began_ = absl::Now();
  const std::shared_ptr<Reports> reports_ = std::make_shared<Reports>();
  ScriptedHttpServer server_;
};

void ExpectTimes(const CallInfo& call, absl::Time began) {
  EXPECT_GE(call.start_time, began - absl::Seconds(1));
  EXPECT_LE(call.start_time, absl::Now() + absl::Seconds(1));
  EXPECT_THAT(call.time_to_answer, Gt(absl::ZeroDuration()));
  EXPECT_THAT(call.time_to_answer, Le(call.duration));
}

TEST_F(SdkCallInfoTest, IsInEveryAnswer) {
  server_.OnRequest(Respond(200, R"({"output":"Yes.","url":"u","results":[],"datasources":[]})", kHeaders));
  const std::unique_ptr<Client> client = Connect();
  const CallInfo calls[] = {
      client->recall().Ask(Question())->call,
      client->recall().Run(Question<RunRequest>())->call,
      client->recall().Search({})->call,
      client->datasources().List({})->call,
      client->datasources().Disconnect(DisconnectSpike())->call,
      client->connectors().Authorize(ConnectSpike())->call,
  };
  std::set<std::string> ids;
  for (size_t i = 0; i < std::size(calls); ++i) {
    EXPECT_EQ(calls[i].request_id, server_.requests()[i].Header("X-Request-Id"));
    EXPECT_EQ(calls[i].attempts, 1);
    EXPECT_EQ(calls[i].http_status, 200);
    EXPECT_EQ(calls[i].headers.Get("x-igpt-id"), "i-1");
    EXPECT_EQ(calls[i].headers.Get("Set-Cookie"), std::nullopt);
    ExpectTimes(calls[i], began_);
    ids.insert(calls[i].request_id);
  }
  EXPECT_THAT(ids, SizeIs(std::size(calls)));
}

TEST_F(SdkCallInfoTest, ARequestIdIsMadeUnlessThereIsOne) {
  server_.OnRequest(Respond(200, "{}"));
  const std::unique_ptr<Client> client = Connect();
  EXPECT_THAT(client->recall().Search({})->call.request_id,
              MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_EQ(client->recall().Search({}, {.request_id = "mine 1"})->call.request_id, "mine 1");
  EXPECT_EQ(server_.requests()[1].Header("X-Request-Id"), "mine 1");
  for (const std::string& bad : {std::string(" x"), std::string("a\nb"), std::string(kMaxNameBytes + 1, 'x')}) {
    const absl::Status refused = client->recall().Search({}, {.request_id = bad}).status();
    ASSERT_THAT(refused, IsError(ErrorKind::kInvalidRequest));
    EXPECT_EQ(ErrorOf(refused)->violations[0].field, "request_id");
  }
  EXPECT_THAT(client->recall().Search({}, {.headers = {{"x-request-id", "x"}}}), IsError(ErrorKind::kInvalidRequest));
}

TEST_F(SdkCallInfoTest, IsInErrorsOfTheHead) {
  server_.OnRequest(Respond(503, "", kHeaders));
  const absl::Status status = Connect(/*attempts=*/3)->recall().Search({}, {.request_id = "r"}).status();
  const CallInfo call = ErrorOf(status)->call;
  EXPECT_EQ(call.request_id, "r");
  EXPECT_EQ(call.attempts, 3);
  EXPECT_EQ(call.http_status, 503);
  EXPECT_EQ(call.headers.Get("X-Igpt-Id"), "i-1");
  ExpectTimes(call, began_);
  for (const HttpRequest& request : server_.requests()) EXPECT_EQ(request.Header("X-Request-Id"), "r");
  ExpectReported(call, ErrorKind::kUnavailable);
}

TEST_F(SdkCallInfoTest, IsInErrorsOfTheBody) {
  server_.OnRequest(Respond(200, R"({"error":"auth"})", kHeaders));
  const CallInfo call = ErrorOf(Connect()->recall().Search({}).status())->call;
  EXPECT_THAT(call.request_id, Not(IsEmpty()));
  EXPECT_EQ(call.attempts, 1);
  EXPECT_EQ(call.http_status, 200);
  EXPECT_EQ(call.headers.Get("X-Igpt-Id"), "i-1");
  ExpectTimes(call, began_);
  ExpectReported(call, ErrorKind::kAuth);
}

TEST_F(SdkCallInfoTest, TellsOfTheLastAttempt) {
  server_.OnNextRequest(Respond(503, "", {{"X-First", "1"}}));
  server_.OnRequest(Reset);
  const CallInfo lost = ErrorOf(Connect(/*attempts=*/2)->recall().Search({}).status())->call;
  EXPECT_EQ(lost.attempts, 2);
  EXPECT_EQ(lost.http_status, 0);
  EXPECT_TRUE(lost.headers.empty());
  EXPECT_EQ(lost.time_to_answer, absl::ZeroDuration());
}

TEST_F(SdkCallInfoTest, ErrorsBeforeARequestHaveNoAnswer) {
  const std::unique_ptr<Client> client = Connect();
  const absl::Status statuses[] = {
      client->recall().Ask({}, {.request_id = "r"}).status(),
      client->recall().Ask(Question(), {.timeout = absl::ZeroDuration(), .request_id = "r"}).status(),
      ReadAll(client->recall().AskStream({}, {.request_id = "r"})).end.status(),
  };
  for (const absl::Status& status : statuses) {
    const CallInfo call = ErrorOf(status)->call;
    EXPECT_EQ(call.request_id, "r");
    EXPECT_EQ(call.attempts, 0);
    EXPECT_EQ(call.http_status, 0);
    EXPECT_GE(call.start_time, began_ - absl::Seconds(1));
  }
  EXPECT_THAT(reports_->kept(), SizeIs(3));
}

TEST_F(SdkCallInfoTest, OfAStreamIsThereFromItsStart) {
  Event go_on;
  server_.OnRequest([&](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(R"({"type":"run.start"})");
    EXPECT_TRUE(go_on.Await());
    exchange.SendSse(R"({"type":"run.done","output":"Yes."})");
    exchange.EndChunked();
  });
  const std::unique_ptr<Client> client = Connect();
  EventStream stream = client->recall().AskStream(Question(), {.request_id = "r"});
  EXPECT_EQ(stream.Info().request_id, "r");
  EXPECT_THAT(stream.Read(), IsOk());
  EXPECT_EQ(stream.Info().http_status, 200);
  EXPECT_EQ(stream.Info().attempts, 1);
  EXPECT_THAT(reports_->kept(), IsEmpty());
  go_on.Set();
  const EventResult done = stream.Read();
  ASSERT_THAT(done, IsOk());
  EXPECT_EQ((*done)->payload.As<Answer>()->call.request_id, "r");
  const absl::StatusOr<Answer> answer = stream.Finish();
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->call.request_id, "r");
  ExpectTimes(answer->call, began_);
  ExpectReported(answer->call, std::nullopt);
  EXPECT_EQ(reports_->kept()[0].events_delivered, 2);
  EXPECT_EQ(EventStream().Info().request_id, "");
}

TEST_F(SdkCallInfoTest, OfAStreamIsInItsError) {
  server_.OnRequest([](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(R"({"type":"run.start"})");
    exchange.Reset();
  });
  const Reading reading = AskAll(*Connect());
  EXPECT_EQ(reading.error().kind, ErrorKind::kTruncated);
  EXPECT_EQ(reading.error().call.http_status, 200);
  EXPECT_EQ(reading.error().call.attempts, 1);
  EXPECT_EQ(reading.error().events_delivered, 1);
  ExpectReported(reading.error().call, ErrorKind::kTruncated);
}

TEST_F(SdkCallInfoTest, AStreamThatIsLetGoIsReportedAsAborted) {
  Event asked;
  server_.OnRequest([&](Exchange& exchange) {
    asked.Set();
    exchange.Stall();
  });
  const std::unique_ptr<Client> client = Connect();
  {
    const EventStream stream = client->recall().AskStream(Question());
    ASSERT_TRUE(asked.Await());
  }
  client->Close();
  ASSERT_THAT(reports_->kept(), SizeIs(1));
  EXPECT_EQ(reports_->kept()[0].error, ErrorKind::kAborted);
  EXPECT_EQ(reports_->kept()[0].route, "recall/ask");
}

TEST_F(SdkCallInfoTest, CallsThatAreHeldBackAreReported) {
  server_.OnRequest(Respond(503, ""));
  const std::unique_ptr<Client> client = Connect();
  const auto held_back = [&] {
    for (const Reports::Kept& report : reports_->kept()) {
      if (report.held_back) return std::optional(report);
    }
    return std::optional<Reports::Kept>();
  };
  for (int i = 0; i < 1000 && !held_back().has_value(); ++i) {
    EXPECT_THAT(client->recall().Search({}), IsError(ErrorKind::kUnavailable));
  }
  ASSERT_TRUE(held_back().has_value());
  EXPECT_EQ(held_back()->call.attempts, 0);
  EXPECT_EQ(held_back()->error, ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace igpt::testing
