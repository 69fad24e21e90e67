// Calls that a Transport answers, in place of HTTP.
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "igpt/observer.h"
#include "igpt/transport.h"
#include "tests/integration/sdk/sdk_fixture.h"

namespace igpt::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

// Each function does what it was given.
class Scripted final : public Transport {
 public:
  absl::StatusOr<Answer> Ask(const AskRequest& request, const CallOptions& options) override {
    return ask(request, options);
  }
  std::unique_ptr<EventSource> AskStream(const AskRequest& request, const CallOptions& options) override {
    return ask_stream(request, options);
  }

  std::function<absl::StatusOr<Answer>(const AskRequest&, const CallOptions&)> ask;
  std::function<std::unique_ptr<EventSource>(const AskRequest&, const CallOptions&)> ask_stream;
};

class Source final : public EventSource {
 public:
  explicit Source(std::function<EventResult()> next) : next_(std::move(next)) {}
  EventResult Next() override { return next_(); }

 private:
  const std::function<EventResult()> next_;
};

RunEvent DeltaOf(std::string text) {
  return {.payload = Delta{std::move(text)}};
}

// Blocks until the call is given up.
void AwaitStop(const CallOptions& options, Event* blocked) {
  Event stopped;
  const std::stop_callback on_stop(options.stop, [&] { stopped.Set(); });
  blocked->Set();
  EXPECT_TRUE(stopped.Await());
}

class SdkTransportTest : public ::testing::Test {
 protected:
  void TearDown() override {
    client_.Close();
    EXPECT_TRUE(no_http_.requests().empty());
  }

  Client Connect() {
    Options options = OptionsFor(no_http_);
    options.api_key = "";
    options.user = "ada";
    absl::StatusOr<Client> client = Client::Create(options, transport_);
    EXPECT_THAT(client, IsOk());
    return *std::move(client);
  }

  ScriptedHttpServer no_http_;
  const std::shared_ptr<Scripted> transport_ = std::make_shared<Scripted>();
  Client client_ = Connect();
};

TEST_F(SdkTransportTest, AnswersInPlaceOfHttp) {
  transport_->ask = [](const AskRequest& request, const CallOptions& options) {
    EXPECT_EQ(request.user, "ada");
    EXPECT_EQ(options.request_id, "r");
    return Answer{.output = Text{"You asked: " + request.input}};
  };
  const absl::StatusOr<Answer> answer = client_.recall().Ask({.input = "What?"}, {.request_id = "r"});
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(std::get<Text>(answer->output).text, "You asked: What?");
  EXPECT_EQ(answer->call.request_id, "r");
}

TEST_F(SdkTransportTest, StreamsEventsAndTheirEnd) {
  for (const absl::Status& end : {absl::OkStatus(), MakeStatus(ErrorKind::kTruncated, "cut")}) {
    transport_->ask_stream = [end](const AskRequest& /*request*/, const CallOptions& /*options*/) {
      return std::make_unique<Source>([end, n = 0]() mutable -> EventResult {
        if (++n <= 3) return DeltaOf(std::to_string(n));
        if (!end.ok()) return end;
        return std::nullopt;
      });
    };
    EventStream stream = client_.recall().AskStream(Question(), {.request_id = "r"});
    std::string text;
    const absl::Status status = stream.ForEachText([&](std::string_view piece) { text += piece; });
    EXPECT_EQ(text, "123");
    EXPECT_EQ(status.code(), end.code());
    EXPECT_EQ(stream.Info().request_id, "r");
    if (end.ok()) continue;
    EXPECT_EQ(ErrorOf(status)->events_delivered, 3);
    EXPECT_EQ(ErrorOf(status)->call.request_id, "r");
  }
}

TEST_F(SdkTransportTest, StatusesPassAsTheyAre) {
  const absl::Status statuses[] = {absl::InternalError("of somebody else"),
                                   MakeStatus(ErrorKind::kRateLimited, "slow")};
  for (const absl::Status& status : statuses) {
    transport_->ask = [status](const auto&...) { return status; };
    const absl::Status got = client_.recall().Ask(Question()).status();
    EXPECT_EQ(got.code(), status.code());
    EXPECT_EQ(got.message(), status.message());
    EXPECT_EQ(KindOf(got), KindOf(status));
  }
}

TEST_F(SdkTransportTest, WhatItDoesNotAnswerIsUnimplemented) {
  const auto unimplemented = [](const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
    EXPECT_THAT(std::string(status.message()), Not(IsEmpty()));
  };
  unimplemented(client_.recall().Run(Question<RunRequest>()).status());
  unimplemented(client_.recall().RunStream(Question<RunRequest>()).Read().status());
  unimplemented(client_.recall().Search({}).status());
  unimplemented(client_.datasources().List({}).status());
  unimplemented(client_.datasources().Disconnect(DisconnectSpike()).status());
  unimplemented(client_.connectors().Authorize(ConnectSpike()).status());
  const absl::StatusOr<Client> bare = Client::Create({.user = "ada"}, std::make_shared<Transport>());
  ASSERT_THAT(bare, IsOk());
  unimplemented(bare->recall().Ask(Question()).status());
  unimplemented(bare->recall().AskStream(Question()).Read().status());
}

TEST_F(SdkTransportTest, InvalidRequestsDoNotReachIt) {
  EXPECT_THAT(client_.recall().Ask({}), IsError(ErrorKind::kInvalidRequest));
  EXPECT_THAT(client_.recall().AskStream({}).Read(), IsError(ErrorKind::kInvalidRequest));
}

TEST_F(SdkTransportTest, ExceptionsAndNoStreamAreErrors) {
  transport_->ask = [](const auto&...) -> absl::StatusOr<Answer> { throw std::runtime_error("x"); };
  transport_->ask_stream = [](const auto&...) -> std::unique_ptr<EventSource> { throw std::runtime_error("x"); };
  EXPECT_THAT(client_.recall().Ask(Question()), IsError(ErrorKind::kConfiguration));
  EXPECT_THAT(client_.recall().AskStream(Question()).Read(), IsError(ErrorKind::kConfiguration));
  transport_->ask_stream = [](const auto&...) { return nullptr; };
  EXPECT_THAT(client_.recall().AskStream(Question()).Read(), IsError(ErrorKind::kConfiguration));
  transport_->ask_stream = [](const auto&...) {
    return std::make_unique<Source>([]() -> EventResult { throw std::runtime_error("x"); });
  };
  EXPECT_THAT(client_.recall().AskStream(Question()).Read(), IsError(ErrorKind::kConfiguration));
}

// Each way to give a call up ends it at once, and tells the transport.
TEST_F(SdkTransportTest, CallsThatBlockCanBeGivenUp) {
  Event blocked;
  transport_->ask = [&](const AskRequest& /*request*/, const CallOptions& options) {
    AwaitStop(options, &blocked);
    return Answer();
  };
  EXPECT_THAT(client_.recall().Ask(Question(), {.timeout = absl::Milliseconds(1)}), IsError(ErrorKind::kDeadline));

  std::stop_source stop;
  std::thread stopper([&] {
    EXPECT_TRUE(blocked.Await());
    stop.request_stop();
  });
  EXPECT_THAT(client_.recall().Ask(Question(), {.stop = stop.get_token()}), IsError(ErrorKind::kAborted));
  stopper.join();

  Outcome cancelled;
  PendingCall call = client_.recall().Ask(Question(), {}, cancelled.Callback());
  call.Cancel();
  EXPECT_THAT(cancelled.Await(), IsError(ErrorKind::kAborted));

  Outcome closed;
  client_.recall().Ask(Question(), {}, closed.Callback());
  client_.Close();
  EXPECT_THAT(closed.Await(), IsError(ErrorKind::kAborted));
  EXPECT_THAT(client_.recall().Ask(Question()), IsError(ErrorKind::kAborted));
}

TEST_F(SdkTransportTest, StreamsThatBlockCanBeGivenUp) {
  Event blocked;
  transport_->ask_stream = [&](const AskRequest& /*request*/, const CallOptions& options) {
    return std::make_unique<Source>([&, options, n = 0]() mutable -> EventResult {
      if (++n == 1) return DeltaOf("first");
      AwaitStop(options, &blocked);
      return DeltaOf("too late");
    });
  };
  {
    EventStream stream = client_.recall().AskStream(Question(), {.timeout = absl::Milliseconds(100)});
    RunEvent event;
    EXPECT_TRUE(stream.Next(&event));
    EXPECT_FALSE(stream.Next(&event));
    EXPECT_THAT(stream.status(), IsError(ErrorKind::kDeadline));
  }
  {
    EventStream stream = client_.recall().AskStream(Question());
    EXPECT_THAT(stream.Read(), IsOk());
    stream.Cancel();
    EXPECT_THAT(stream.Read(), IsError(ErrorKind::kAborted));
  }
  // Let go of while it blocks, and closed.
  client_.recall().AskStream(Question());
  EventStream stream = client_.recall().AskStream(Question());
  EXPECT_TRUE(blocked.Await());
  client_.Close();
  EXPECT_THAT(ReadAll(stream).end, IsError(ErrorKind::kAborted));
}

TEST_F(SdkTransportTest, MayOutliveTheClient) {
  Event blocked;
  Event returned;
  {
    const auto transport = std::make_shared<Scripted>();
    transport->ask = [&](const AskRequest& /*request*/, const CallOptions& options) {
      AwaitStop(options, &blocked);
      returned.Set();
      return Answer();
    };
    absl::StatusOr<Client> client = Client::Create({.user = "ada"}, transport);
    ASSERT_THAT(client, IsOk());
    client->recall().Ask(Question(), {}, [](const absl::StatusOr<Answer>&) {});
    EXPECT_TRUE(blocked.Await());
  }
  EXPECT_TRUE(returned.Await());
}

}  // namespace
}  // namespace igpt::testing
