// What the SDK retries, how often, and what it never retries.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "tests/integration/sdk/sdk_fixture.h"

namespace igpt::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Le;
using ::testing::SizeIs;

// Options with this many attempts.
Options Attempts(const ScriptedHttpServer& server, int attempts) {
  Options options = OptionsFor(server);
  options.max_retries = attempts;
  return options;
}

absl::Status Authorize(Client& client) {
  return client.connectors().Authorize(ConnectSpike()).status();
}
absl::Status Disconnect(Client& client) {
  return client.datasources().Disconnect(DisconnectSpike()).status();
}
absl::Status Search(Client& client, CallOptions options = {}) {
  return client.recall().Search({}, std::move(options)).status();
}

// Failures that a retry may fix.
struct Transient {
  Handler handler;
  ErrorKind kind;
};
std::vector<Transient> Transients() {
  std::vector<Transient> all = {
      {Respond(429, "{}"), ErrorKind::kRateLimited},
      {Reset, ErrorKind::kNetwork},
      {[](Exchange& exchange) { exchange.Close(); }, ErrorKind::kNetwork},
      {[](Exchange& exchange) {
         exchange.Send("HTTP/1.1 200 \r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[");
         exchange.Close();
       },
       ErrorKind::kNetwork},
  };
  for (const int status : {500, 502, 503, 504}) all.push_back({Respond(status, "{}"), ErrorKind::kUnavailable});
  return all;
}

TEST(SdkRetryTest, TransientFailuresAreSentAgainUpToMaxRetries) {
  for (const Transient& failure : Transients()) {
    ScriptedHttpServer server;
    server.OnRequest(failure.handler);
    const std::unique_ptr<Client> client = MakeClient(Attempts(server, 3));
    const absl::Status status = Search(*client);
    EXPECT_THAT(status, IsError(failure.kind));
    EXPECT_EQ(ErrorOf(status)->call.attempts, 3);
    EXPECT_THAT(server.requests(), SizeIs(3));
  }
}

TEST(SdkRetryTest, TheAnswerOfALaterAttemptCounts) {
  for (const Transient& failure : Transients()) {
    ScriptedHttpServer server;
    server.OnNextRequest(failure.handler);
    server.OnRequest(Respond(200, R"({"results":[{"id":"m1"}]})"));
    const std::unique_ptr<Client> client = MakeClient(Attempts(server, 2));
    const absl::StatusOr<SearchAnswer> answer = client->recall().Search({});
    ASSERT_THAT(answer, IsOk());
    EXPECT_THAT(answer->results, SizeIs(1));
    EXPECT_THAT(server.requests(), SizeIs(2));
    EXPECT_EQ(answer->call.attempts, 2);
    EXPECT_EQ(server.requests()[0].body, server.requests()[1].body);
  }
}

TEST(SdkRetryTest, EveryRepeatableCallIsSentAgain) {
  ScriptedHttpServer server;
  server.OnRequest(Respond(503, "{}"));
  const std::unique_ptr<Client> client = MakeClient(Attempts(server, 2));
  EXPECT_THAT(client->recall().Ask(Question()), IsError(ErrorKind::kUnavailable));
  EXPECT_THAT(client->datasources().List({}), IsError(ErrorKind::kUnavailable));
  EXPECT_THAT(AskAll(*client).end, IsError(ErrorKind::kUnavailable));
  EXPECT_THAT(server.requests(), SizeIs(6));
}

TEST(SdkRetryTest, RefusedConnectionsAreTriedAgainByEveryCall) {
  const ScriptedHttpServer server(ScriptedHttpServer::Mode::kRefuse);
  const std::unique_ptr<Client> client = MakeClient(Attempts(server, 3));
  const absl::Status statuses[] = {Search(*client), Authorize(*client), Disconnect(*client),
                                   AskAll(*client).end.status()};
  for (const absl::Status& status : statuses) {
    EXPECT_THAT(status, IsError(ErrorKind::kNetwork));
    EXPECT_EQ(ErrorOf(status)->call.attempts, 3);
  }
}

TEST(SdkRetryTest, LastingErrorsAreSentOnce) {
  struct {
    int status;
    ErrorKind kind;
  } cases[] = {
      {302, ErrorKind::kProtocol}, {400, ErrorKind::kParams},      {401, ErrorKind::kAuth},
      {403, ErrorKind::kAuth},     {404, ErrorKind::kProtocol},    {418, ErrorKind::kProtocol},
      {422, ErrorKind::kParams},   {501, ErrorKind::kUnavailable}, {505, ErrorKind::kUnavailable},
  };
  for (const auto& [code, kind] : cases) {
    ScriptedHttpServer server;
    server.OnRequest(Respond(code, "{}"));
    const std::unique_ptr<Client> client = MakeClient(Attempts(server, 3));
    const absl::Status status = Search(*client);
    EXPECT_THAT(status, IsError(kind)) << code;
    EXPECT_EQ(ErrorOf(status)->call.http_status, code);
    EXPECT_EQ(ErrorOf(status)->call.attempts, 1);
    EXPECT_THAT(server.requests(), SizeIs(1));
  }
  ScriptedHttpServer server;
  server.OnRequest(Respond(200, R"({"error":"overloaded"})"));
  EXPECT_THAT(Search(*MakeClient(Attempts(server, 3))), IsError(ErrorKind::kApi));
  EXPECT_THAT(server.requests(), SizeIs(1));
}

TEST(SdkRetryTest, WhatChangesSomethingIsNotRepeatedOnceItMayHaveArrived) {
  for (const Transient& failure : Transients()) {
    ScriptedHttpServer server;
    server.OnRequest(failure.handler);
    const std::unique_ptr<Client> client = MakeClient(Attempts(server, 3));
    EXPECT_THAT(Authorize(*client), IsError(failure.kind));
    EXPECT_THAT(Disconnect(*client), IsError(failure.kind));
    EXPECT_THAT(server.requests(), SizeIs(2));
  }
}

TEST(SdkRetryTest, StreamIsRepeatedBeforeItsFirstEvent) {
  const Handler failures[] = {
      Respond(503, "{}"),
      Reset,
      [](Exchange& exchange) {  // only the head
        exchange.StartSse();
        exchange.Close();
      },
      [](Exchange& exchange) {  // most of an event
        exchange.StartSse();
        exchange.SendChunk(absl::StrCat(": comment\n\ndata: ", std::string(kRunStart), "\n"));
        exchange.Close();
      },
  };
  for (const Handler& failure : failures) {
    ScriptedHttpServer server;
    server.OnNextRequest(failure);
    server.OnRequest(WholeRun());
    const std::unique_ptr<Client> client = MakeClient(Attempts(server, 3));
    const Reading reading = AskAll(*client);
    EXPECT_THAT(reading, EndsProperly());
    EXPECT_THAT(reading.events, ElementsAre(kRunStart, DeltaEvent(1), kRunDone));
    EXPECT_THAT(server.requests(), SizeIs(2));
  }
}

TEST(SdkRetryTest, StreamIsNeverRepeatedAfterItsFirstEvent) {
  ScriptedHttpServer server;
  server.OnRequest([](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(kRunStart);
    exchange.Close();
  });
  const std::unique_ptr<Client> client = MakeClient(Attempts(server, 3));
  const Reading reading = AskAll(*client);
  EXPECT_THAT(reading.events, ElementsAre(kRunStart));
  EXPECT_THAT(reading.end, IsError(ErrorKind::kTruncated));
  EXPECT_EQ(reading.error().events_delivered, 1);
  EXPECT_THAT(server.requests(), SizeIs(1));
}

// libcurl itself sends a request again if the pooled connection turns out to be dead. These calls allow that, and their
// callers must not notice.
TEST(SdkRetryTest, DeadPooledConnectionIsNoFailure) {
  ScriptedHttpServer server;
  server.OnNextRequest(Respond(200, "[]"));
  server.OnNextRequest(Reset);  // read on the pooled connection
  server.OnRequest(Respond(200, "[]"));
  const std::unique_ptr<Client> client = MakeClient(Attempts(server, 2));
  EXPECT_THAT(Search(*client), IsOk());
  EXPECT_THAT(Search(*client), IsOk());
  EXPECT_THAT(server.requests(), SizeIs(3));
}

TEST(SdkRetryTest, RetryAfterWithinTheDeadlineIsWaitedFor) {
  ScriptedHttpServer server;
  server.OnNextRequest(Respond(429, "{}", {{"Retry-After", "1"}}));
  server.OnRequest(Respond(200, "[]"));
  const std::unique_ptr<Client> client = MakeClient(Attempts(server, 2));
  const absl::Time start = absl::Now();
  EXPECT_THAT(Search(*client), IsOk());
  // A lower bound only: it proves that the call waited, whatever the machine's speed.
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(900));
  EXPECT_THAT(server.requests(), SizeIs(2));
}

TEST(SdkRetryTest, NothingIsRepeatedPastTheDeadline) {
  struct {
    int status;
    std::string retry_after;
    absl::Duration expected;
    ErrorKind kind;
  } cases[] = {
      {429, "60", absl::Seconds(60), ErrorKind::kRateLimited},
      {503, "1000000000", absl::Hours(1), ErrorKind::kUnavailable},
      {503, "99999999999999999999999", absl::Hours(1), ErrorKind::kUnavailable},
  };
  for (const auto& test : cases) {
    ScriptedHttpServer server;
    server.OnRequest(Respond(test.status, "{}", {{"Retry-After", test.retry_after}}));
    const std::unique_ptr<Client> client = MakeClient(Attempts(server, 3));
    const absl::Status status = Search(*client, Within(absl::Seconds(30)));
    EXPECT_THAT(status, IsError(test.kind));
    EXPECT_EQ(ErrorOf(status)->retry_after, test.expected);
    EXPECT_EQ(ErrorOf(status)->call.attempts, 1);
    EXPECT_THAT(server.requests(), SizeIs(1));
  }
}

TEST(SdkRetryTest, MaxCallDurationIsADeadlineToo) {
  ScriptedHttpServer server;
  server.OnRequest(Respond(429, "{}", {{"Retry-After", "60"}}));
  Options options = Attempts(server, 3);
  options.max_call_duration = absl::Seconds(30);
  EXPECT_THAT(Search(*MakeClient(options)), IsError(ErrorKind::kRateLimited));
  EXPECT_THAT(server.requests(), SizeIs(1));
}

TEST(SdkRetryTest, AnOutageIsNotMultiplied) {
  constexpr int kCalls = 100;
  ScriptedHttpServer server;
  server.OnRequest(Respond(503, "{}"));
  const std::unique_ptr<Client> client = MakeClient(Attempts(server, 3));
  std::vector<Outcome> outcomes(kCalls);
  for (Outcome& outcome : outcomes) client->recall().Search({}, {}, outcome.Callback());
  for (Outcome& outcome : outcomes) EXPECT_THAT(outcome.Await(), IsError(ErrorKind::kUnavailable));
  // Ten retries are saved up, and a fifth of the calls earn one more.
  EXPECT_THAT(server.requests().size(), AllOf(Ge(kCalls + 10u), Le(kCalls + 10u + kCalls / 5)));
}

TEST(SdkRetryTest, FailedLookUpIsANetworkError) {
  ScriptedHttpServer server;
  Options options = Attempts(server, 2);
  options.base_url = "https://igpt.invalid/v1";
  const absl::Status status = Authorize(*MakeClient(options));
  EXPECT_THAT(status, IsError(ErrorKind::kNetwork));
  EXPECT_EQ(ErrorOf(status)->call.attempts, 2);
}

}  // namespace
}  // namespace igpt::testing
