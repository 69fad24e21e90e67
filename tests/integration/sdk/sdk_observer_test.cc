// What a Client reports to its observer.
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "igpt/observer.h"
#include "tests/integration/sdk/sdk_fixture.h"

namespace igpt::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::Ge;
using ::testing::MatchesRegex;

class Recorder final : public Observer {
 public:
  void OnRequestEnd(const RequestReport& report) override {
    const std::lock_guard lock(mutex_);
    reports_.push_back(report);
    traceparents_.emplace_back(report.traceparent);
    parents_.emplace_back(report.parent);
  }
  void OnLookupEnd(bool found) override {
    const std::lock_guard lock(mutex_);
    lookups_.push_back(found);
  }
  std::vector<RequestReport> reports() {
    const std::lock_guard lock(mutex_);
    return reports_;
  }
  std::vector<std::string> traceparents() {
    const std::lock_guard lock(mutex_);
    return traceparents_;
  }
  std::vector<std::string> parents() {
    const std::lock_guard lock(mutex_);
    return parents_;
  }
  std::vector<bool> lookups() {
    const std::lock_guard lock(mutex_);
    return lookups_;
  }

 private:
  std::mutex mutex_;  // guards what follows
  std::vector<RequestReport> reports_;
  std::vector<std::string> traceparents_;
  std::vector<std::string> parents_;
  std::vector<bool> lookups_;
};

class SdkObserverTest : public ::testing::Test {
 protected:
  Options Observed(int attempts = 1) {
    Options options = OptionsFor(server_);
    options.max_retries = attempts;
    options.observer = {std::shared_ptr<void>(), &recorder_};
    return options;
  }

  ScriptedHttpServer server_;
  Recorder recorder_;
};

auto Report(const char* route, std::optional<ErrorKind> error, bool retry, int sends, int new_connections) {
  return AllOf(Field("route", &RequestReport::route, route), Field("error", &RequestReport::error, error),
               Field("retry", &RequestReport::retry, retry), Field("sends", &RequestReport::sends, sends),
               Field("new_connections", &RequestReport::new_connections, new_connections),
               Field("duration", &RequestReport::duration, Ge(absl::ZeroDuration())));
}

TEST_F(SdkObserverTest, EveryRouteIsToldAndAPooledConnectionIsNotNew) {
  server_.OnRequest(Respond(200, R"({"output":"Yes.","url":"u","datasources":[]})"));
  const std::unique_ptr<Client> client = MakeClient(Observed());
  EXPECT_THAT(client->recall().Ask(Question()), IsOk());
  EXPECT_THAT(client->recall().Search({}), IsOk());
  EXPECT_THAT(client->datasources().List({}), IsOk());
  EXPECT_THAT(client->datasources().Disconnect(DisconnectSpike()), IsOk());
  EXPECT_THAT(client->connectors().Authorize(ConnectSpike()), IsOk());
  // The last two never use a pooled connection, which may be dead.
  EXPECT_THAT(recorder_.reports(), ElementsAre(Report("recall/ask", std::nullopt, false, 1, 1),
                                               Report("recall/search", std::nullopt, false, 1, 0),
                                               Report("datasources/list", std::nullopt, false, 1, 0),
                                               Report("datasources/disconnect", std::nullopt, false, 1, 1),
                                               Report("connectors/authorize", std::nullopt, false, 1, 1)));
  EXPECT_TRUE(recorder_.lookups().empty());
}

TEST_F(SdkObserverTest, EveryAttemptIsARequest) {
  server_.OnRequest(WholeRun());
  server_.OnNextRequest(Respond(503, "", {{"Connection", "close"}}));
  server_.OnNextRequest(Reset);
  const std::unique_ptr<Client> client = MakeClient(Observed(/*attempts=*/3));
  EXPECT_THAT(AskAll(*client), EndsProperly());
  EXPECT_THAT(recorder_.reports(), ElementsAre(Report("recall/ask", ErrorKind::kUnavailable, false, 1, 1),
                                               Report("recall/ask", ErrorKind::kNetwork, true, 1, 1),
                                               Report("recall/ask", std::nullopt, true, 1, 1)));
}

TEST_F(SdkObserverTest, WhatAPooledConnectionLostWasSentTwice) {
  server_.OnRequest(WholeRun());
  const std::unique_ptr<Client> client = MakeClient(Observed(/*attempts=*/3));
  EXPECT_THAT(AskAll(*client), EndsProperly());
  server_.OnNextRequest(Reset);
  EXPECT_THAT(AskAll(*client), EndsProperly());
  EXPECT_THAT(recorder_.reports(), ElementsAre(Report("recall/ask", std::nullopt, false, 1, 1),
                                               Report("recall/ask", std::nullopt, false, 2, 1)));
}

TEST_F(SdkObserverTest, EveryRequestIsASpanBelowTheCalls) {
  server_.OnRequest(Respond(200, R"({"output":"Yes."})"));
  server_.OnNextRequest(Respond(503, ""));
  Options options = Observed(/*attempts=*/3);
  options.headers = {{"Traceparent", "the client's"}};
  const std::unique_ptr<Client> client = MakeClient(options);
  CallOptions traced;
  traced.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  EXPECT_THAT(client->recall().Ask(Question(), traced), IsOk());
  const std::vector<RequestReport> reports = recorder_.reports();
  ASSERT_EQ(reports.size(), 2U);
  std::set<std::string> spans = {traced.traceparent};
  for (size_t i = 0; i < reports.size(); ++i) {
    EXPECT_EQ(recorder_.parents().at(i), traced.traceparent);
    EXPECT_EQ(reports[i].resends, static_cast<int>(i));
    const std::string sent = recorder_.traceparents().at(i);
    EXPECT_THAT(sent, MatchesRegex("00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01"));
    EXPECT_EQ(server_.requests().at(i).Header("traceparent"), sent);
    spans.insert(sent);
  }
  EXPECT_EQ(spans.size(), 3U);
  // Without one, none is made up.
  EXPECT_THAT(client->recall().Ask(Question()), IsOk());
  EXPECT_EQ(recorder_.traceparents().back(), "");
}

TEST_F(SdkObserverTest, ACancelledRequestIsTold) {
  Event asked;
  server_.OnRequest([&](Exchange& exchange) {
    asked.Set();
    exchange.Stall();
  });
  const std::unique_ptr<Client> client = MakeClient(Observed());
  EventStream stream = client->recall().AskStream(Question());
  ASSERT_TRUE(asked.Await());
  stream.Cancel();
  EXPECT_THAT(ReadAll(stream).error().kind, ErrorKind::kAborted);
  EXPECT_THAT(recorder_.reports(), ElementsAre(Report("recall/ask", ErrorKind::kAborted, false, 1, 1)));
}

TEST_F(SdkObserverTest, ARequestThatIsNotSentIsNone) {
  const std::unique_ptr<Client> client = MakeClient(Observed());
  EXPECT_THAT(client->recall().Ask({}), IsError(ErrorKind::kInvalidRequest));
  EXPECT_THAT(client->recall().Ask(Question(), Within(-absl::Seconds(1))), IsError(ErrorKind::kDeadline));
  EXPECT_TRUE(recorder_.reports().empty());
}

TEST_F(SdkObserverTest, LookupsAreTold) {
  server_.OnRequest(Respond(200, R"({"output":"Yes."})"));
  Options options = Observed();
  options.base_url = "http://localhost:" + std::to_string(server_.port()) + "/v1";
  const std::unique_ptr<Client> client = MakeClient(options);
  EXPECT_THAT(client->recall().Ask(Question()), IsOk());
  EXPECT_THAT(client->recall().Ask(Question()), IsOk());
  EXPECT_THAT(recorder_.lookups(), ElementsAre(true));

  options.base_url = "https://no-such-host.invalid/v1";
  const std::unique_ptr<Client> lost = MakeClient(options);
  EXPECT_THAT(lost->recall().Ask(Question()), IsError(ErrorKind::kNetwork));
  EXPECT_THAT(recorder_.lookups(), ElementsAre(true, false));
  EXPECT_THAT(recorder_.reports().back(), Report("recall/ask", ErrorKind::kNetwork, false, 0, 0));
}

TEST_F(SdkObserverTest, RetriesTakeFromTheBudget) {
  server_.OnRequest(WholeRun());
  server_.OnNextRequest(Respond(503, ""));
  const std::unique_ptr<unstable::EventLoop> loop = MakeLoop();
  const std::unique_ptr<Client> client = MakeClient(Observed(/*attempts=*/3), loop.get());
  const auto left = [&] {
    double retries = 0;
    RunOnLoop(*loop, [&] { retries = unstable::OnLoop::RetriesLeft(*client); });
    return retries;
  };
  const double before = left();
  EXPECT_THAT(AskAll(*client), EndsProperly());
  EXPECT_EQ(left(), before - 1);
}

}  // namespace
}  // namespace igpt::testing
