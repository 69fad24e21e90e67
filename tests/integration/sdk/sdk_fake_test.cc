// The fakes for users' unit tests.
#include <memory>
#include <string>
#include <vector>

#include "igpt/testing/fake_transport.h"
#include "tests/integration/sdk/sdk_fixture.h"

namespace igpt::testing {
namespace {

class SdkFakeTest : public ::testing::Test {
 protected:
  Client Connect() {
    absl::StatusOr<Client> client = Client::Create({.user = "ada"}, fake_);
    EXPECT_THAT(client, IsOk());
    return *std::move(client);
  }

  const std::shared_ptr<FakeTransport> fake_ = std::make_shared<FakeTransport>();
  Client client_ = Connect();
};

TEST_F(SdkFakeTest, EveryFunctionAnswersItsCall) {
  fake_->ask = [](const AskRequest& request, const CallOptions&) { return Answer{.id = request.input}; };
  fake_->run = [](const RunRequest& request, const CallOptions&) { return Answer{.id = request.input}; };
  fake_->ask_stream = [](const AskRequest& request, const CallOptions&) { return Pieces({"a", request.input}); };
  fake_->run_stream = [](const RunRequest& request, const CallOptions&) { return Pieces({"r", request.input}); };
  fake_->search = [](const SearchRequest& request, const CallOptions&) {
    return SearchAnswer{.results = {{.id = request.query}}};
  };
  fake_->list = [](const ListRequest& request, const CallOptions&) {
    return ListAnswer{.datasources = {{.id = request.user}}};
  };
  fake_->disconnect = [](const DisconnectRequest& request, const CallOptions&) {
    return DisconnectAnswer{.raw_json = request.id};
  };
  fake_->authorize = [](const AuthorizeRequest& request, const CallOptions&) {
    return AuthorizeAnswer{.url = request.scope};
  };
  EXPECT_EQ(client_.recall().Ask({.input = "q"})->id, "q");
  EXPECT_EQ(client_.recall().Run({.input = "q"})->id, "q");
  EXPECT_EQ(std::get<Text>(client_.recall().AskStream({.input = "q"}).Finish()->output).text, "aq");
  EXPECT_EQ(std::get<Text>(client_.recall().RunStream({.input = "q"}).Finish()->output).text, "rq");
  EXPECT_EQ(client_.recall().Search({.query = "q"})->results.at(0).id, "q");
  EXPECT_EQ(client_.datasources().List({})->datasources.at(0).id, "ada");
  EXPECT_EQ(client_.datasources().Disconnect({.id = "q"})->raw_json, "q");
  EXPECT_EQ(client_.connectors().Authorize({.service = "s", .scope = "q"})->url, "q");
}

TEST_F(SdkFakeTest, WithoutAFunctionACallIsUnimplemented) {
  EXPECT_EQ(client_.recall().Ask({.input = "q"}).status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(client_.recall().AskStream({.input = "q"}).Read().status().code(), absl::StatusCode::kUnimplemented);
}

TEST_F(SdkFakeTest, PiecesAreAWholeRun) {
  fake_->ask_stream = [](const AskRequest&, const CallOptions&) { return Pieces({"We will", " hire."}); };
  EventStream stream = client_.recall().AskStream({.input = "q"});
  std::vector<std::string> types;
  RunEvent event;
  while (stream.Next(&event)) types.push_back(event.type);
  EXPECT_THAT(stream.status(), IsOk());
  EXPECT_THAT(types, ::testing::ElementsAre("run.start", "run.output_text.delta", "run.output_text.delta", "run.done"));
}

TEST_F(SdkFakeTest, EventsCanEndInAnError) {
  fake_->ask_stream = [](const AskRequest&, const CallOptions&) {
    return Events({{.payload = Delta{"We"}}}, MakeStatus(ErrorKind::kTruncated, "cut"));
  };
  EventStream stream = client_.recall().AskStream({.input = "q"});
  RunEvent event;
  EXPECT_TRUE(stream.Next(&event));
  EXPECT_FALSE(stream.Next(&event));
  EXPECT_THAT(stream.status(), IsError(ErrorKind::kTruncated));
}

TEST_F(SdkFakeTest, SilenceLastsUntilTheCallIsGivenUp) {
  fake_->ask_stream = [](const AskRequest&, const CallOptions& options) {
    return EventsThenSilence({{.payload = Delta{"We"}}}, options);
  };
  EventStream stream = client_.recall().AskStream({.input = "q"});
  RunEvent event;
  EXPECT_TRUE(stream.Next(&event));
  EXPECT_EQ(stream.ReadUntil(MonotonicTime::Now() + absl::Milliseconds(10)), std::nullopt);
  stream.Cancel();
  EXPECT_FALSE(stream.Next(&event));
  EXPECT_THAT(stream.status(), IsError(ErrorKind::kAborted));
}

}  // namespace
}  // namespace igpt::testing
