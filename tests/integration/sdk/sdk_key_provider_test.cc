// Options::api_key_provider: keys that change while a client runs.
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/sdk/sdk_fixture.h"

namespace igpt::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using Provider = std::function<absl::StatusOr<std::string>()>;

Options WithProvider(const ScriptedHttpServer& server, Provider provider) {
  Options options = OptionsFor(server);
  options.api_key = "";
  options.api_key_provider = std::move(provider);
  return options;
}

// ak:1, ak:2, …
Provider Counting() {
  return [count = std::make_shared<std::atomic<int>>(0)] { return absl::StrCat("ak:", ++*count); };
}

std::vector<std::string> KeysOf(const ScriptedHttpServer& server) {
  std::vector<std::string> keys;
  for (const HttpRequest& request : server.requests()) keys.push_back(request.Header("Authorization").value_or("none"));
  return keys;
}

TEST(SdkKeyProviderTest, IsAskedBeforeEachAttempt) {
  ScriptedHttpServer server;
  server.OnNextRequest(Respond(200, "[]"));
  server.OnNextRequest(Respond(503, "{}"));
  server.OnNextRequest(Respond(503, "{}"));
  server.OnNextRequest(Respond(200, "[]"));
  server.OnNextRequest(WholeRun());
  Options options = WithProvider(server, Counting());
  options.max_retries = 3;
  const std::unique_ptr<Client> client = MakeClient(options);
  EXPECT_THAT(client->recall().Search({}), IsOk());
  EXPECT_THAT(client->recall().Search({}), IsOk());
  EXPECT_THAT(AskAll(*client), EndsProperly());
  EXPECT_THAT(KeysOf(server),
              ::testing::ElementsAre("Bearer ak:1", "Bearer ak:2", "Bearer ak:3", "Bearer ak:4", "Bearer ak:5"));
}

TEST(SdkKeyProviderTest, ACallsOwnKeyWins) {
  ScriptedHttpServer server;
  server.OnRequest(Respond(200, "[]"));
  const std::unique_ptr<Client> client =
      MakeClient(WithProvider(server, [] { return absl::UnavailableError("not asked"); }));
  CallOptions call;
  call.api_key = "ak:own";
  EXPECT_THAT(client->recall().Search({}, call), IsOk());
  EXPECT_THAT(KeysOf(server), ::testing::ElementsAre("Bearer ak:own"));
}

TEST(SdkKeyProviderTest, TakesNoOtherKey) {
  ScriptedHttpServer server;
  const std::unique_ptr<Client> client = MakeClient(WithProvider(server, Counting()));
  EXPECT_THAT(client->SetApiKey("ak:new"), IsError(ErrorKind::kInvalidRequest));
  Options both = WithProvider(server, Counting());
  both.api_key = "ak:test";
  EXPECT_THAT(Client::Create(both), IsError(ErrorKind::kInvalidRequest));
}

struct Failing {
  const char* name;
  Provider provider;
  const char* message;
};

class SdkKeyProviderFailureTest : public ::testing::TestWithParam<Failing> {};

std::vector<Failing> Failures() {
  return {
      {"Error", [] { return absl::PermissionDeniedError("SECRET"); },
       "the api_key_provider failed with PERMISSION_DENIED"},
      {"Empty", [] { return ""; }, "the api_key_provider gave a key that is empty or not visible ASCII"},
      {"LineEnd", [] { return "SECRET\r\nX: y"; },
       "the api_key_provider gave a key that is empty or not visible ASCII"},
      {"Throws", []() -> absl::StatusOr<std::string> { throw std::runtime_error("SECRET"); },
       "the api_key_provider threw an exception"},
      {"ThrowsANumber", []() -> absl::StatusOr<std::string> { throw 1; }, "the api_key_provider threw an exception"},
  };
}
INSTANTIATE_TEST_SUITE_P(Each, SdkKeyProviderFailureTest, ::testing::ValuesIn(Failures()),
                         [](const auto& failing) { return std::string(failing.param.name); });

TEST_P(SdkKeyProviderFailureTest, EndsTheCallWithNothingSent) {
  ScriptedHttpServer server;
  Options options = WithProvider(server, GetParam().provider);
  options.max_retries = 3;
  const std::unique_ptr<Client> client = MakeClient(options);
  Outcome outcome;
  client->recall().Search({}, {}, outcome.Callback());
  for (const absl::Status& status : {client->recall().Search({}).status(), outcome.Await(),
                                     client->recall().AskStream(Question()).Read().status()}) {
    EXPECT_THAT(status, IsError(ErrorKind::kConfiguration));
    EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(GetParam().message), Not(HasSubstr("SECRET"))));
    EXPECT_EQ(ErrorOf(status).value_or(Error()).call.attempts, 0);
  }
  EXPECT_EQ(server.connections(), 0);
}

// It failed before the second attempt.
TEST(SdkKeyProviderTest, EndsTheRetries) {
  ScriptedHttpServer server;
  server.OnRequest(Respond(503, "{}"));
  Options options = WithProvider(server, [asked = std::make_shared<int>(0)]() -> absl::StatusOr<std::string> {
    if ((*asked)++ > 0) return absl::UnavailableError("");
    return "ak:1";
  });
  options.max_retries = 3;
  const absl::Status status = MakeClient(options)->recall().Search({}).status();
  EXPECT_THAT(status, IsError(ErrorKind::kConfiguration));
  EXPECT_EQ(ErrorOf(status).value_or(Error()).call.attempts, 1);
  EXPECT_EQ(server.requests().size(), 1);
}

// What it does with its client, on the client's own thread.
TEST(SdkKeyProviderTest, MayCloseItsClient) {
  ScriptedHttpServer server;
  std::optional<Client> client;
  absl::Status blocking;
  client = *MakeClient(WithProvider(server, [&] {
    blocking = client->recall().Search({}).status();
    client->Close();
    return "ak:1";
  }));
  EXPECT_THAT(client->recall().Search({}), IsError(ErrorKind::kAborted));
  EXPECT_THAT(blocking, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(server.connections(), 0);
}

}  // namespace
}  // namespace igpt::testing
