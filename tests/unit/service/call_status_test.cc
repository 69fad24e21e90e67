#include "service/contract/call_status.h"

#include <gmock/gmock.h>
#include <grpcpp/support/error_details.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "igpt/error.h"

namespace igptd {
namespace {

namespace v1 = igpt::v1;

using ::grpc::StatusCode;
using ::igpt::Error;
using ::igpt::ErrorKind;
using ::igpt::FieldViolation;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

using Metadata = std::map<std::string, std::string>;

// A status as a client decodes it.
struct Received {
  StatusCode code = StatusCode::OK;
  std::string reason;
  std::string domain;
  Metadata metadata;
  std::vector<std::pair<std::string, std::string>> violations;
  std::optional<double> retry_seconds;
};

Received Receive(const CallStatus& call) {
  EXPECT_LE(call.status.error_message().size() + call.status.error_details().size(), kMaxStatusBytes);
  google::rpc::Status details;
  EXPECT_TRUE(grpc::ExtractErrorDetails(call.status, &details).ok());
  EXPECT_EQ(details.code(), call.status.error_code());
  EXPECT_EQ(details.message(), call.status.error_message());
  EXPECT_FALSE(details.message().empty());
  Received received;
  received.code = call.status.error_code();
  for (const google::protobuf::Any& detail : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad;
    google::rpc::RetryInfo retry;
    if (detail.UnpackTo(&info)) {
      EXPECT_EQ(received.reason, "") << "two ErrorInfos";
      received.reason = info.reason();
      received.domain = info.domain();
      received.metadata = {info.metadata().begin(), info.metadata().end()};
    } else if (detail.UnpackTo(&bad)) {
      for (const auto& violation : bad.field_violations()) {
        received.violations.emplace_back(violation.field(), violation.description());
      }
    } else if (detail.UnpackTo(&retry)) {
      received.retry_seconds = retry.retry_delay().seconds() + retry.retry_delay().nanos() / 1e9;
    } else {
      ADD_FAILURE() << "a detail of type " << detail.type_url();
    }
  }
  v1::ErrorReason parsed;
  EXPECT_TRUE(v1::ErrorReason_Parse("ERROR_REASON_" + received.reason, &parsed)) << received.reason;
  EXPECT_EQ(parsed, call.reason);
  EXPECT_EQ(received.domain, "igptd");
  return received;
}

Received Receive(const Error& error, std::string_view message = "What to do.", KeyOwner owner = KeyOwner::kIgptd) {
  return Receive(ToCallStatus(igpt::MakeStatus(error, message), owner));
}

Error OfKind(ErrorKind kind) {
  Error error;
  error.kind = kind;
  return error;
}

TEST(GrpcStatusTest, Ok) {
  CallStatus call = ToCallStatus(absl::OkStatus(), KeyOwner::kIgptd);
  EXPECT_TRUE(call.status.ok());
  EXPECT_EQ(call.status.error_details(), "");
  EXPECT_EQ(call.reason, v1::ERROR_REASON_UNSPECIFIED);
}

TEST(GrpcStatusTest, EveryKind) {
  struct {
    ErrorKind kind;
    StatusCode code;
    const char* reason;
  } const kTable[] = {
      {ErrorKind::kInvalidRequest, StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST"},
      {ErrorKind::kParams, StatusCode::INVALID_ARGUMENT, "IGPT_PARAMS"},
      {ErrorKind::kAuth, StatusCode::FAILED_PRECONDITION, "IGPT_AUTH"},
      {ErrorKind::kApi, StatusCode::UNKNOWN, "IGPT_ERROR"},
      {ErrorKind::kNotFound, StatusCode::NOT_FOUND, "IGPT_NOT_FOUND"},
      {ErrorKind::kRateLimited, StatusCode::RESOURCE_EXHAUSTED, "IGPT_RATE_LIMITED"},
      {ErrorKind::kUnavailable, StatusCode::UNAVAILABLE, "IGPT_UNAVAILABLE"},
      {ErrorKind::kNetwork, StatusCode::UNAVAILABLE, "NETWORK_ERROR"},
      {ErrorKind::kTls, StatusCode::UNAVAILABLE, "NETWORK_ERROR"},
      {ErrorKind::kConfiguration, StatusCode::UNAVAILABLE, "NETWORK_ERROR"},
      {ErrorKind::kProtocol, StatusCode::INTERNAL, "IGPT_PROTOCOL"},
      {ErrorKind::kTimeout, StatusCode::UNAVAILABLE, "IGPT_TIMEOUT"},
      {ErrorKind::kDeadline, StatusCode::DEADLINE_EXCEEDED, "DEADLINE"},
      {ErrorKind::kAborted, StatusCode::CANCELLED, "REQUEST_ABORTED"},
      {ErrorKind::kTruncated, StatusCode::UNAVAILABLE, "STREAM_TRUNCATED"},
      {ErrorKind::kMalformed, StatusCode::DATA_LOSS, "STREAM_MALFORMED"},
      {ErrorKind::kTooLarge, StatusCode::RESOURCE_EXHAUSTED, "ANSWER_TOO_LARGE"},
  };
  EXPECT_EQ(std::size(kTable), static_cast<size_t>(ErrorKind::kTooLarge) + 1);
  for (const auto& row : kTable) {
    SCOPED_TRACE(row.reason);
    const bool broken_stream = row.kind == ErrorKind::kTruncated || row.kind == ErrorKind::kMalformed;
    Received received = Receive(OfKind(row.kind));
    EXPECT_EQ(received.code, row.code);
    EXPECT_EQ(received.reason, row.reason);
    EXPECT_EQ(received.metadata, broken_stream ? Metadata({{"events_delivered", "0"}}) : Metadata());
    EXPECT_THAT(received.violations, IsEmpty());
    EXPECT_EQ(received.retry_seconds.has_value(), row.kind == ErrorKind::kRateLimited);
  }
}

TEST(GrpcStatusTest, EveryRefusal) {
  struct {
    Refusal refusal;
    StatusCode code;
    const char* reason;
  } const kTable[] = {
      {Refusal::kSlowConsumer, StatusCode::RESOURCE_EXHAUSTED, "SLOW_CONSUMER"},
      {Refusal::kOverloaded, StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"},
      {Refusal::kTooManyStandardCalls, StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"},
      {Refusal::kShuttingDown, StatusCode::UNAVAILABLE, "SHUTTING_DOWN"},
      {Refusal::kCallerUnauthenticated, StatusCode::UNAUTHENTICATED, "CALLER_UNAUTHENTICATED"},
      {Refusal::kCallerTokenExpired, StatusCode::UNAUTHENTICATED, "CALLER_TOKEN_EXPIRED"},
      {Refusal::kUserNotAllowed, StatusCode::PERMISSION_DENIED, "USER_NOT_ALLOWED"},
      {Refusal::kMethodNotAllowed, StatusCode::PERMISSION_DENIED, "METHOD_NOT_ALLOWED"},
  };
  for (const auto& row : kTable) {
    SCOPED_TRACE(row.reason);
    Received received = Receive(ToCallStatus(row.refusal));
    EXPECT_EQ(received.code, row.code);
    EXPECT_EQ(received.reason, row.reason);
    EXPECT_EQ(received.metadata, Metadata());
    EXPECT_EQ(received.retry_seconds.has_value(), received.reason == "OVERLOADED");
  }
}

TEST(GrpcStatusTest, FactsOfRefusals) {
  EXPECT_THAT(Receive(ToCallStatus(Refusal::kSlowConsumer, {.events_delivered = 12, .retry_after = {}})).metadata,
              UnorderedElementsAre(Pair("events_delivered", "12")));
  EXPECT_EQ(Receive(ToCallStatus(Refusal::kOverloaded)).retry_seconds, 1.0);
  EXPECT_EQ(Receive(ToCallStatus(Refusal::kOverloaded, {.retry_after = absl::Milliseconds(250)})).retry_seconds, 0.25);
}

TEST(GrpcStatusTest, WhoseKeyItWas) {
  EXPECT_EQ(Receive(OfKind(ErrorKind::kAuth), "m", KeyOwner::kIgptd).code, StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(Receive(OfKind(ErrorKind::kAuth), "m", KeyOwner::kCaller).code, StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Receive(OfKind(ErrorKind::kParams), "m", KeyOwner::kCaller).code, StatusCode::INVALID_ARGUMENT);
}

TEST(GrpcStatusTest, ATimeoutInvitesARetryOnlyBeforeTheFirstEvent) {
  Error error = OfKind(ErrorKind::kTimeout);
  error.timer = "idle";
  Received before = Receive(error);
  EXPECT_EQ(before.code, StatusCode::UNAVAILABLE);
  EXPECT_THAT(before.metadata, UnorderedElementsAre(Pair("timer", "idle")));

  error.events_delivered = 1;
  Received after = Receive(error);
  EXPECT_EQ(after.code, StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(after.metadata, UnorderedElementsAre(Pair("timer", "idle"), Pair("events_delivered", "1")));
}

TEST(GrpcStatusTest, FactsAreMetadata) {
  Error error = OfKind(ErrorKind::kApi);
  error.api_code = "quota";
  error.call.http_status = 200;
  error.call.attempts = 2;
  error.events_delivered = 7;
  EXPECT_THAT(Receive(error).metadata, UnorderedElementsAre(Pair("igpt_error", "quota"), Pair("http_status", "200"),
                                                            Pair("attempts", "2"), Pair("events_delivered", "7")));
}

TEST(GrpcStatusTest, WhenToComeBack) {
  Error limited = OfKind(ErrorKind::kRateLimited);
  EXPECT_EQ(Receive(limited).retry_seconds, 1.0);
  limited.retry_after = absl::Milliseconds(2500);
  EXPECT_EQ(Receive(limited).retry_seconds, 2.5);

  Error unavailable = OfKind(ErrorKind::kUnavailable);
  EXPECT_EQ(Receive(unavailable).retry_seconds, std::nullopt);
  unavailable.retry_after = absl::Seconds(30);
  EXPECT_EQ(Receive(unavailable).retry_seconds, 30.0);

  Error network = OfKind(ErrorKind::kNetwork);  // a request that was held back
  EXPECT_EQ(Receive(network).retry_seconds, std::nullopt);
  network.retry_after = absl::Milliseconds(1500);
  EXPECT_EQ(Receive(network).retry_seconds, 1.5);

  Error params = OfKind(ErrorKind::kParams);
  params.retry_after = absl::Seconds(30);
  EXPECT_EQ(Receive(params).retry_seconds, std::nullopt);
}

TEST(GrpcStatusTest, MessagesArePassedOn) {
  CallStatus call = ToCallStatus(igpt::MakeStatus(ErrorKind::kNetwork, "Check the name."), KeyOwner::kIgptd);
  EXPECT_EQ(call.status.error_message(), "Check the name.");
}

TEST(GrpcStatusTest, AForeignStatusIsNotShown) {
  CallStatus call = ToCallStatus(absl::PermissionDeniedError("secret"), KeyOwner::kIgptd);
  Received received = Receive(call);
  EXPECT_EQ(received.code, StatusCode::INTERNAL);
  EXPECT_EQ(received.reason, "IGPT_PROTOCOL");
  EXPECT_THAT(call.status.error_message(), Not(HasSubstr("secret")));
}

TEST(GrpcStatusTest, EveryViolationAtOnce) {
  Received received = Receive(ToCallStatus(
      igpt::InvalidRequest({{"user", "is required"}, {"date_to", "is before date_from"}}), KeyOwner::kIgptd));
  EXPECT_THAT(received.violations,
              testing::ElementsAre(Pair("user", "is required"), Pair("date_to", "is before date_from")));
}

// The total of violations: those that are listed, plus those that the last one counts.
size_t Count(const std::vector<std::pair<std::string, std::string>>& violations) {
  int more = 0;
  if (std::sscanf(violations.back().second.c_str(), "and %d more", &more) != 1) return violations.size();
  EXPECT_EQ(violations.back().first, "");
  return violations.size() - 1 + more;
}

TEST(GrpcStatusTest, ManyViolationsAreCutAndCounted) {
  for (size_t count : {1, 2, 3, 8, 34, 1000}) {
    for (size_t length = 0; length < 500; length += 1 + length / 20) {
      SCOPED_TRACE(absl::StrCat(count, " violations of ", length, " bytes"));
      Error error = OfKind(ErrorKind::kInvalidRequest);
      error.violations.assign(count, {std::string(length, 'f'), std::string(length, 'd')});
      const auto violations = Receive(error).violations;
      ASSERT_FALSE(violations.empty());
      EXPECT_EQ(Count(violations), count);
      EXPECT_THAT(violations[0].second, Not(StartsWith("and ")));
    }
  }
}

TEST(GrpcStatusTest, TheLastViolationFitsOrIsCounted) {
  bool fit = false, counted = false;
  for (size_t length = 0; length <= 300; ++length) {
    Error error = OfKind(ErrorKind::kInvalidRequest);
    error.violations.assign(4, {std::string(100, 'f'), std::string(300, 'd')});
    error.violations.push_back({"last", std::string(length, 'd')});
    const auto violations = Receive(error).violations;
    EXPECT_EQ(Count(violations), 5u);
    (violations.back().first == "last" ? fit : counted) = true;
  }
  EXPECT_TRUE(fit && counted);
}

TEST(GrpcStatusTest, ARealRequestsViolationsAllFit) {
  std::vector<FieldViolation> violations(7, {std::string(20, 'f'), std::string(60, 'd')});
  EXPECT_EQ(Receive(ToCallStatus(igpt::InvalidRequest(violations), KeyOwner::kIgptd)).violations.size(), 7u);
}

TEST(GrpcStatusTest, EverythingTooLongAtOnce) {
  for (const auto& [kind, facts] : {std::pair(ErrorKind::kRateLimited, 2u), std::pair(ErrorKind::kApi, 4u)}) {
    Error error = OfKind(kind);
    error.api_code = std::string(5000, 'c');
    error.timer = std::string(5000, 't');
    error.call.http_status = 429;
    error.call.attempts = 2147483647;
    error.events_delivered = 9223372036854775807;
    error.retry_after = absl::Hours(1);
    error.violations.assign(1000, {std::string(500, 'f'), std::string(500, 'd')});
    Received received = Receive(error, std::string(5000, 'm'));
    EXPECT_EQ(Count(received.violations), 1000u);
    EXPECT_EQ(received.metadata.size(), facts);  // those of the table
    if (kind == ErrorKind::kRateLimited) {
      EXPECT_EQ(received.retry_seconds, 3600.0);
    }
  }
}

TEST(GrpcStatusTest, MessagesAreCutBetweenCharacters) {
  for (const std::string character : {"a", "é", "€", "😀"}) {
    for (size_t shift = 0; shift < 4; ++shift) {
      std::string message(shift, 'x');
      while (message.size() < 5000) message += character;
      CallStatus call = ToCallStatus(igpt::MakeStatus(ErrorKind::kNetwork, message), KeyOwner::kIgptd);
      Receive(call);
      std::string text = call.status.error_message();
      EXPECT_LE(text.size(), 400u);
      ASSERT_THAT(text, EndsWith("…"));
      text.resize(text.size() - std::string("…").size());
      EXPECT_THAT(message, StartsWith(text));
      EXPECT_EQ((text.size() - shift) % character.size(), 0u);
    }
  }
}

TEST(GrpcStatusTest, AMessageThatFitsIsNotCut) {
  const std::string message(400, 'm');
  EXPECT_EQ(ToCallStatus(igpt::MakeStatus(ErrorKind::kNetwork, message), KeyOwner::kIgptd).status.error_message(),
            message);
  EXPECT_THAT(
      ToCallStatus(igpt::MakeStatus(ErrorKind::kNetwork, message + "m"), KeyOwner::kIgptd).status.error_message(),
      EndsWith("…"));
}

}  // namespace
}  // namespace igptd
