#include "igpt/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/cord.h"

namespace igpt {
namespace {

using ::testing::SizeIs;

struct Kind {
  ErrorKind kind;
  std::string name;
  absl::StatusCode code;
  bool retryable;
};

std::vector<Kind> Kinds() {
  return {
      {ErrorKind::kInvalidRequest, "invalid_request", absl::StatusCode::kInvalidArgument, false},
      {ErrorKind::kParams, "params", absl::StatusCode::kInvalidArgument, false},
      {ErrorKind::kAuth, "auth", absl::StatusCode::kUnauthenticated, false},
      {ErrorKind::kApi, "api", absl::StatusCode::kUnknown, false},
      {ErrorKind::kNotFound, "not_found", absl::StatusCode::kNotFound, false},
      {ErrorKind::kRateLimited, "rate_limited", absl::StatusCode::kResourceExhausted, true},
      {ErrorKind::kUnavailable, "unavailable", absl::StatusCode::kUnavailable, true},
      {ErrorKind::kNetwork, "network", absl::StatusCode::kUnavailable, true},
      {ErrorKind::kTls, "tls", absl::StatusCode::kFailedPrecondition, false},
      {ErrorKind::kConfiguration, "configuration", absl::StatusCode::kFailedPrecondition, false},
      {ErrorKind::kProtocol, "protocol", absl::StatusCode::kInternal, false},
      {ErrorKind::kTimeout, "timeout", absl::StatusCode::kUnavailable, true},
      {ErrorKind::kDeadline, "deadline", absl::StatusCode::kDeadlineExceeded, false},
      {ErrorKind::kAborted, "aborted", absl::StatusCode::kCancelled, false},
      {ErrorKind::kTruncated, "truncated", absl::StatusCode::kUnavailable, true},
      {ErrorKind::kMalformed, "malformed", absl::StatusCode::kDataLoss, false},
      {ErrorKind::kTooLarge, "too_large", absl::StatusCode::kResourceExhausted, false},
  };
}

class ErrorKindTest : public testing::TestWithParam<Kind> {};

TEST_P(ErrorKindTest, HasItsNameAndItsCodeAndComesBack) {
  const auto& [kind, name, code, retryable] = GetParam();
  EXPECT_EQ(ErrorKindName(kind), name);
  const absl::Status status = MakeStatus(kind, "what to do");
  EXPECT_EQ(status.code(), code);
  EXPECT_EQ(status.message(), "what to do");
  ASSERT_TRUE(ErrorOf(status).has_value());
  EXPECT_EQ(ErrorOf(status)->kind, kind);
  EXPECT_EQ(KindOf(status), kind);
  EXPECT_EQ(IsRetryable(status), retryable);
}

TEST(ErrorTest, WhatIsNotOursHasNoKind) {
  for (const absl::Status& status : {absl::OkStatus(), absl::UnavailableError("of somebody else")}) {
    EXPECT_EQ(KindOf(status), std::nullopt);
    EXPECT_FALSE(IsRetryable(status));
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, ErrorKindTest, testing::ValuesIn(Kinds()),
                         [](const auto& test) { return test.param.name; });

TEST(ErrorTest, ATimeoutAfterTheFirstEventIsDeadlineExceeded) {
  Error error;
  error.kind = ErrorKind::kTimeout;
  error.events_delivered = 1;
  EXPECT_EQ(MakeStatus(error, "").code(), absl::StatusCode::kDeadlineExceeded);
  error.kind = ErrorKind::kTruncated;
  EXPECT_EQ(MakeStatus(error, "").code(), absl::StatusCode::kUnavailable);
}

TEST(ErrorTest, AbsentFactsStayAbsent) {
  const std::optional<Error> error = ErrorOf(MakeStatus(ErrorKind::kNetwork, "x"));
  ASSERT_TRUE(error.has_value());
  EXPECT_TRUE(error->violations.empty());
  EXPECT_EQ(error->api_code, "");
  EXPECT_EQ(error->call.http_status, 0);
  EXPECT_EQ(error->retry_after, std::nullopt);
  EXPECT_EQ(error->timer, "");
  EXPECT_EQ(error->events_delivered, 0);
  EXPECT_EQ(error->call.attempts, 0);
}

TEST(ErrorTest, EveryFactComesBack) {
  Error error;
  error.kind = ErrorKind::kTimeout;
  error.violations = {{"user", "must be set"}, {"input", "must be \"short\"\n\xC3\xA4"}};
  error.api_code = "quota";
  error.call.http_status = 503;
  error.retry_after = absl::Milliseconds(1500) + absl::Nanoseconds(7);
  error.timer = "idle";
  error.events_delivered = int64_t{1} << 40;
  error.call.attempts = 3;
  const std::optional<Error> back = ErrorOf(MakeStatus(error, "x"));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->kind, ErrorKind::kTimeout);
  ASSERT_THAT(back->violations, SizeIs(2));
  EXPECT_EQ(back->violations[0].field, "user");
  EXPECT_EQ(back->violations[0].description, "must be set");
  EXPECT_EQ(back->violations[1].field, "input");
  EXPECT_EQ(back->violations[1].description, "must be \"short\"\n\xC3\xA4");
  EXPECT_EQ(back->api_code, "quota");
  EXPECT_EQ(back->call.http_status, 503);
  EXPECT_EQ(back->retry_after, error.retry_after);
  EXPECT_EQ(back->timer, "idle");
  EXPECT_EQ(back->events_delivered, int64_t{1} << 40);
  EXPECT_EQ(back->call.attempts, 3);
}

TEST(ErrorTest, AZeroRetryAfterIsNotAnAbsentOne) {
  Error error;
  error.retry_after = absl::ZeroDuration();
  EXPECT_EQ(ErrorOf(MakeStatus(error, ""))->retry_after, absl::ZeroDuration());
}

TEST(ErrorTest, AnyTextComesBack) {
  std::string text;
  for (int c = 0; c < 256; ++c) text.push_back(static_cast<char>(c));
  for (const std::string& value :
       {text, std::string("a%20b"), std::string("%"), std::string("%2"), std::string(",=,")}) {
    Error error;
    error.api_code = value;
    error.violations = {{value, value}, {"", ""}};
    const std::optional<Error> back = ErrorOf(MakeStatus(error, "x"));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->api_code, value);
    ASSERT_THAT(back->violations, SizeIs(2));
    EXPECT_EQ(back->violations[0].field, value);
    EXPECT_EQ(back->violations[0].description, value);
  }
}

TEST(ErrorTest, TheFactsOfTheCallComeBack) {
  Error error;
  error.call = {.request_id = "id 1",
                .attempts = 2,
                .http_status = 503,
                .headers = ResponseHeaders("server: x\nretry-after: 7\n"),
                .start_time = absl::FromUnixNanos(1'700'000'000'123'456'789),
                .time_to_answer = absl::Milliseconds(7) + absl::Nanoseconds(1),
                .duration = absl::Hours(30) + absl::Nanoseconds(1)};
  const std::optional<Error> back = ErrorOf(MakeStatus(error, "x"));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->call.request_id, "id 1");
  EXPECT_EQ(back->call.attempts, 2);
  EXPECT_EQ(back->call.http_status, 503);
  EXPECT_EQ(back->call.headers.Get("Retry-After"), "7");
  EXPECT_EQ(back->call.start_time, error.call.start_time);
  EXPECT_EQ(back->call.time_to_answer, error.call.time_to_answer);
  EXPECT_EQ(back->call.duration, error.call.duration);
}

TEST(ErrorTest, APrintedStatusCanBeReadByAPerson) {
  Error error;
  error.kind = ErrorKind::kUnavailable;
  error.call.request_id = "r-1";
  error.call.attempts = 3;
  error.call.http_status = 503;
  error.call.duration = absl::Milliseconds(1500);
  std::ostringstream printed;
  printed << MakeStatus(error, "HTTP 503: iGPT is not available; try again later");
  EXPECT_EQ(printed.str(),
            "UNAVAILABLE: HTTP 503: iGPT is not available; try again later "
            "[igpt/error='kind=unavailable http_status=503 attempts=3 request_id=r-1 duration=1.5s']");
}

TEST(ErrorTest, APrintedViolationIsALine) {
  std::ostringstream printed;
  printed << InvalidRequest({{"input", "must be set"}});
  EXPECT_THAT(printed.str(), ::testing::HasSubstr("[igpt/violations='input: must be set']"));
}

TEST(ErrorTest, OtherStatusesHaveNoError) {
  EXPECT_FALSE(ErrorOf(absl::OkStatus()).has_value());
  EXPECT_FALSE(ErrorOf(absl::UnavailableError("x")).has_value());
  absl::Status other = absl::UnavailableError("x");
  other.SetPayload("other/error", absl::Cord("kind=auth"));
  EXPECT_FALSE(ErrorOf(other).has_value());
}

TEST(ErrorTest, AForeignPayloadIsReadWithoutTrust) {
  const auto error_of = [](const char* payload) {
    absl::Status status = absl::UnavailableError("x");
    status.SetPayload("igpt/error", absl::Cord(payload));
    return ErrorOf(status);
  };
  for (const char* payload : {"", "{", "kind", "kind=", "kind=nonsense", " kind=auth", "attempts=1 kind=auth"}) {
    EXPECT_FALSE(error_of(payload).has_value()) << payload;
  }
  const std::optional<Error> error =
      error_of("kind=auth http_status=x retry_after=x attempts=1.5 start_time=x duration=x later=1 = x");
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind, ErrorKind::kAuth);
  EXPECT_EQ(error->call.http_status, 0);
  EXPECT_EQ(error->retry_after, std::nullopt);
  EXPECT_EQ(error->call.attempts, 0);
  EXPECT_EQ(error->call.start_time, absl::InfinitePast());
  EXPECT_EQ(error->call.duration, absl::ZeroDuration());
  EXPECT_THAT(error->violations, SizeIs(0));
}

TEST(InvalidRequestTest, CarriesAndListsEveryViolation) {
  const absl::Status status = InvalidRequest({{"user", "must be set"}, {"max_results", "must not be negative"}});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "user: must be set; max_results: must not be negative");
  const std::optional<Error> error = ErrorOf(status);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->kind, ErrorKind::kInvalidRequest);
  ASSERT_THAT(error->violations, SizeIs(2));
  EXPECT_EQ(error->violations[1].field, "max_results");
  EXPECT_EQ(error->violations[1].description, "must not be negative");
}

}  // namespace
}  // namespace igpt
