// Clients with a retry policy of their own: igptd tells them what it has retried already, and what no retry helps.
#include <memory>
#include <string>

#include "grpcpp/create_channel.h"
#include "gtest/gtest.h"
#include "tests/integration/igptd/igptd_fixture.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
using grpc::StatusCode;
using ::testing::Contains;
using ::testing::Pair;
using ::testing::SizeIs;

// A channel of gRPC's own client that makes up to four attempts.
std::shared_ptr<grpc::Channel> RetryingChannel(const Igptd& igptd) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetServiceConfigJSON(R"({"methodConfig":[{"name":[{}],"retryPolicy":{
      "maxAttempts":4,"initialBackoff":"0.001s","maxBackoff":"0.001s","backoffMultiplier":1,
      "retryableStatusCodes":["UNAVAILABLE","RESOURCE_EXHAUSTED","INTERNAL","INVALID_ARGUMENT","FAILED_PRECONDITION"]
      }}]})");
  return grpc::CreateCustomChannel(igptd.process->address(), grpc::InsecureChannelCredentials(), arguments);
}

v1::SearchRequest SearchFor(const std::string& user) {
  v1::SearchRequest request;
  request.set_user(user);
  return request;
}

TEST(IgptdClientRetryTest, NobodyRetriesWhatIgptdHasRetried) {
  struct {
    int http_status;
    StatusCode code;
    const char* reason;
    size_t requests;
  } const cases[] = {
      {503, StatusCode::UNAVAILABLE, "IGPT_UNAVAILABLE", 3},
      {429, StatusCode::RESOURCE_EXHAUSTED, "IGPT_RATE_LIMITED", 3},
      {400, StatusCode::INVALID_ARGUMENT, "IGPT_PARAMS", 1},
      {401, StatusCode::FAILED_PRECONDITION, "IGPT_AUTH", 1},
      {302, StatusCode::INTERNAL, "IGPT_PROTOCOL", 1},
  };
  for (const auto& row : cases) {
    SCOPED_TRACE(row.http_status);
    Igptd igptd;
    igptd.UseChannel(RetryingChannel(igptd));
    igptd.upstream.OnRequest([&](Exchange& exchange) { exchange.Answer(row.http_status, "{}"); });
    const auto search = igptd.Search(SearchFor("ada"));
    EXPECT_THAT(search.status, FailsWith(row.code, row.reason));
    EXPECT_THAT(search.trailing, Contains(Pair("grpc-retry-pushback-ms", "-1")));
    EXPECT_THAT(igptd.upstream.requests(), SizeIs(row.requests));

    const Stream ask = igptd.Ask(AskFor("ada", "?"));
    EXPECT_THAT(ask.status, FailsWith(row.code, row.reason));
    EXPECT_THAT(igptd.upstream.requests(), SizeIs(2 * row.requests));

    const Stream run = igptd.Run(QuestionFor<v1::RunRequest>("ada", "?"));
    EXPECT_THAT(run.status, FailsWith(row.code, row.reason));
    EXPECT_THAT(igptd.upstream.requests(), SizeIs(3 * row.requests));
  }
}

TEST(IgptdClientRetryTest, NobodyRetriesABadRequest) {
  Igptd igptd;
  igptd.UseChannel(RetryingChannel(igptd));
  const auto search = igptd.Search({});
  EXPECT_THAT(search.status, FailsWith(StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST"));
  EXPECT_THAT(search.trailing, Contains(Pair("grpc-retry-pushback-ms", "-1")));
  EXPECT_THAT(igptd.upstream.requests(), SizeIs(0));
  igptd.Stop();
  EXPECT_THAT(igptd.CallLines(), SizeIs(1));  // the client called once
}

}  // namespace
}  // namespace igpt::testing
