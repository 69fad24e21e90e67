// What igpt says of the errors of calls, and where it sends a token.
#include "client/errors.h"

#include <string>
#include <vector>

#include "client/credentials.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"

namespace {

using grpc::StatusCode;

struct Details {
  std::string reason = "";
  std::vector<std::pair<std::string, std::string>> metadata = {};
  std::vector<std::pair<std::string, std::string>> violations = {};
  int retry_seconds = 0;
};

grpc::Status Failure(StatusCode code, const std::string& message, const Details& with) {
  google::rpc::Status status;
  if (!with.reason.empty()) {
    google::rpc::ErrorInfo info;
    info.set_domain("igptd");
    info.set_reason(with.reason);
    for (const auto& [key, value] : with.metadata) (*info.mutable_metadata())[key] = value;
    EXPECT_TRUE(status.add_details()->PackFrom(info));
  }
  if (!with.violations.empty()) {
    google::rpc::BadRequest bad_request;
    for (const auto& [field, description] : with.violations) {
      auto& violation = *bad_request.add_field_violations();
      violation.set_field(field);
      violation.set_description(description);
    }
    EXPECT_TRUE(status.add_details()->PackFrom(bad_request));
  }
  if (with.retry_seconds > 0) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(with.retry_seconds);
    EXPECT_TRUE(status.add_details()->PackFrom(retry));
  }
  return {code, message, status.SerializeAsString()};
}

TEST(ErrorsTest, AreForPeopleProgramsAndShells) {
  const struct {
    grpc::Status status;
    std::string text;
    std::string json;
    ExitCode exit_code;
  } cases[] = {
      {Failure(StatusCode::INVALID_ARGUMENT, "user: is missing; input: is missing",
               {.reason = "INVALID_REQUEST", .violations = {{"user", "is missing"}, {"input", "is missing"}}}),
       "INVALID_ARGUMENT\n  reason: INVALID_REQUEST (igptd)\n  user: is missing\n  input: is missing\n"
       "  what to do: correct the fields above",
       R"({"code":"INVALID_ARGUMENT","message":"user: is missing; input: is missing","reason":"INVALID_REQUEST",)"
       R"("violations":[{"field":"user","description":"is missing"},{"field":"input","description":"is missing"}]})",
       kExitFailed},
      {Failure(StatusCode::RESOURCE_EXHAUSTED, "too many",
               {.reason = "IGPT_RATE_LIMITED",
                .metadata = {{"http_status", "429"}, {"attempts", "3"}},
                .retry_seconds = 3}),
       "RESOURCE_EXHAUSTED: too many\n  reason: IGPT_RATE_LIMITED (igptd)\n  attempts: 3\n  http_status: 429\n"
       "  try again in: 3s\n  what to do: try again later",
       R"({"code":"RESOURCE_EXHAUSTED","message":"too many","reason":"IGPT_RATE_LIMITED",)"
       R"("metadata":{"attempts":"3","http_status":"429"},"retry_after":"3s"})",
       kExitForNow},
      {Failure(StatusCode::RESOURCE_EXHAUSTED, "too large", {.reason = "ANSWER_TOO_LARGE"}),
       "RESOURCE_EXHAUSTED: too large\n  reason: ANSWER_TOO_LARGE (igptd)\n  what to do: ask for less",
       R"({"code":"RESOURCE_EXHAUSTED","message":"too large","reason":"ANSWER_TOO_LARGE"})", kExitFailed},
      {{StatusCode::UNAVAILABLE, "connection refused"},
       "UNAVAILABLE: connection refused\n  what to do: no igptd answers at here:1: start one with ./dev run, or check "
       "--server and --tls",
       R"({"code":"UNAVAILABLE","message":"connection refused"})",
       kExitForNow},
      {Failure(StatusCode::UNAVAILABLE, "HTTP 503", {.reason = "IGPT_UNAVAILABLE"}),
       "UNAVAILABLE: HTTP 503\n  reason: IGPT_UNAVAILABLE (igptd)\n  what to do: try again later",
       R"({"code":"UNAVAILABLE","message":"HTTP 503","reason":"IGPT_UNAVAILABLE"})", kExitForNow},
      {Failure(StatusCode::PERMISSION_DENIED, "no", {.reason = "A_NEW_REASON"}),
       "PERMISSION_DENIED: no\n  reason: A_NEW_REASON (igptd)\n  what to do: ask igptd's operator for access",
       R"({"code":"PERMISSION_DENIED","message":"no","reason":"A_NEW_REASON"})", kExitFailed},
      {{StatusCode::UNKNOWN, "\033[2J\nboo\x9b", "not a google.rpc.Status"},
       "UNKNOWN: �[2J boo�",
       "{\"code\":\"UNKNOWN\",\"message\":\"�[2J\\nboo�\"}",
       kExitFailed},
      {{StatusCode::ABORTED, ""}, "ABORTED", R"({"code":"ABORTED","message":""})", kExitFailed},
  };
  for (const auto& row : cases) {
    EXPECT_EQ(Describe(row.status, "here:1"), row.text);
    EXPECT_EQ(DescribeAsJson(row.status), row.json);
    EXPECT_EQ(ExitCodeOf(row.status), row.exit_code) << row.text;
  }
  EXPECT_EQ(ExitCodeOf(grpc::Status::OK), kExitDone);
}

TEST(CredentialsTest, OnlyThisMachineIsLoopback) {
  for (const char* server : {"127.0.0.1:50051", "127.9.8.7:1", "localhost:50051", "[::1]:50051", "127.0.0.1"}) {
    EXPECT_TRUE(IsLoopback(server)) << server;
  }
  for (const char* server : {"", ":50051", "10.0.0.1:50051", "128.0.0.1:1", "0.0.0.0:50051", "[::]:50051",
                             "[2001:db8::1]:1", "127.0.0.1.example:1", "localhost.example:1", "127.1:1", "0177.0.0.1:1",
                             "dns:///localhost:1", "igptd:50051", "[127.0.0.1]:1"}) {
    EXPECT_FALSE(IsLoopback(server)) << server;
  }
}

}  // namespace
