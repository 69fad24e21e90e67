// What igptd adds to calls: heartbeats, request ids, health and reflection.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.pb.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "gtest/gtest.h"
#include "tests/integration/igptd/igptd_fixture.h"

namespace igpt::testing {
namespace {

namespace v1 = igpt::v1;
namespace health = grpc::health::v1;
namespace reflection = grpc::reflection::v1;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr const char* kServices[] = {"igpt.v1.RecallService", "igpt.v1.ConnectorsService",
                                     "igpt.v1.DatasourcesService"};

TEST(IgptdServiceTest, HeartbeatsFillTheSilence) {
  Event go_on;
  Igptd igptd({"--heartbeat_interval=50ms"});
  igptd.upstream.OnNextRequest([&](Exchange& exchange) {
    exchange.WaitFor(go_on);
    exchange.StartSse();
    exchange.SendSse(kRunStart, kRunDone);
    exchange.EndChunked();
  });
  grpc::ClientContext context;
  const auto reader = igptd.recall->Ask(&context, AskFor("ada", "?"));
  v1::AskResponse event;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(reader->Read(&event));
    EXPECT_TRUE(event.has_heartbeat());
  }
  go_on.Set();
  const Stream rest = ReadAll(context, *reader);
  EXPECT_THAT(rest.status, IsOkStatus());
  ASSERT_THAT(rest.events, SizeIs(2));
  EXPECT_TRUE(rest.events[0].has_started());
  EXPECT_EQ(rest.events[1].completed().text(), "Yes.");
  igptd.Stop();
  ASSERT_THAT(igptd.CallLines(), SizeIs(1));
  EXPECT_EQ(igptd.CallLines()[0]["events"], 2);  // heartbeats don't count
}

TEST(IgptdServiceTest, AWholeAnswerHasHeartbeatsBeforeIt) {
  Event go_on;
  Igptd igptd({"--heartbeat_interval=50ms"});
  igptd.upstream.OnNextRequest([&](Exchange& exchange) {
    exchange.WaitFor(go_on);
    exchange.Answer(200, R"({"output":"Yes."})");
  });
  grpc::ClientContext context;
  v1::AskRequest request = AskFor("ada", "?");
  request.set_whole_answer(true);
  const auto reader = igptd.recall->Ask(&context, request);
  v1::AskResponse event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_TRUE(event.has_heartbeat());
  go_on.Set();
  const Stream rest = ReadAll(context, *reader);
  EXPECT_THAT(rest.status, IsOkStatus());
  ASSERT_FALSE(rest.events.empty());
  EXPECT_EQ(rest.events.back().completed().text(), "Yes.");
}

// The request id of the last request to iGPT.
std::string SentId(const Igptd& igptd) {
  return igptd.upstream.requests().back().Header("X-Request-Id").value_or("");
}

TEST(IgptdServiceTest, ARequestIdIsTakenOrMade) {
  Igptd igptd;
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"datasources":[]})"); });
  v1::ListRequest request;
  request.set_user("ada");
  const auto list = [&](const std::string& id) {
    return igptd.List(request, [&](grpc::ClientContext& context) { context.AddMetadata("x-request-id", id); });
  };
  const std::string good = "a-Z_0.9:/+=";
  const auto taken = list(good);
  EXPECT_EQ(SentId(igptd), good);
  EXPECT_THAT(taken.initial, Contains(Pair("x-request-id", good)));
  EXPECT_EQ(taken.trailing.count("x-request-id"), 0U);

  const auto made = igptd.List(request);
  EXPECT_THAT(SentId(igptd), MatchesRegex("[0-9a-f]{32}"));
  EXPECT_THAT(made.initial, Contains(Pair("x-request-id", SentId(igptd))));

  // An id with characters that have a meaning in headers or log lines is replaced.
  for (const std::string& bad : {std::string("a b"), std::string("\"quoted\""), std::string(129, 'a')}) {
    const auto replaced = list(bad);
    EXPECT_THAT(replaced.status, IsOkStatus());
    EXPECT_THAT(SentId(igptd), AllOf(Not(bad), MatchesRegex("[0-9a-f]{32}")));
    EXPECT_THAT(replaced.initial, Contains(Pair("x-request-id", SentId(igptd))));
  }
}

TEST(IgptdServiceTest, AnEarlyErrorReturnsTheRequestIdInTheTrailers) {
  Igptd igptd;
  igptd.upstream.OnRequest([](Exchange& exchange) { exchange.Answer(200, R"({"error":"params"})"); });
  const auto with_id = [](grpc::ClientContext& context) { context.AddMetadata("x-request-id", "id-7"); };
  const Stream stream = igptd.Ask(AskFor("ada", "?"), with_id);
  EXPECT_THAT(stream.status, FailsWith(grpc::StatusCode::INVALID_ARGUMENT, "IGPT_PARAMS"));
  EXPECT_THAT(stream.initial, IsEmpty());  // a Trailers-Only response
  EXPECT_THAT(stream.trailing, Contains(Pair("x-request-id", "id-7")));

  const auto unary = igptd.List({}, with_id);  // rejected by igptd itself
  EXPECT_THAT(unary.status, FailsWith(grpc::StatusCode::INVALID_ARGUMENT, "INVALID_REQUEST"));
  EXPECT_THAT(unary.initial, IsEmpty());
  EXPECT_THAT(unary.trailing, Contains(Pair("x-request-id", "id-7")));
  igptd.Stop();
  const std::vector<nlohmann::json> calls = igptd.CallLines();
  ASSERT_THAT(calls, SizeIs(2));
  EXPECT_EQ(calls[0]["request_id"], "id-7");
}

TEST(IgptdServiceTest, TheRequestIdComesWithTheFirstEvent) {
  Igptd igptd;
  igptd.upstream.OnNextRequest([](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(kRunStart);
    exchange.Reset();
  });
  const Stream stream =
      igptd.Ask(AskFor("ada", "?"), [](grpc::ClientContext& context) { context.AddMetadata("x-request-id", "id-8"); });
  EXPECT_THAT(stream.status, FailsWith(grpc::StatusCode::UNAVAILABLE, "STREAM_TRUNCATED"));
  EXPECT_THAT(stream.initial, Contains(Pair("x-request-id", "id-8")));
}

TEST(IgptdServiceTest, Health) {
  Igptd igptd;
  const auto stub = health::Health::NewStub(igptd.channel);
  const auto check = [&](const std::string& service, health::HealthCheckResponse* response) {
    grpc::ClientContext context;
    health::HealthCheckRequest request;
    request.set_service(service);
    return stub->Check(&context, request, response);
  };
  std::vector<std::string> services(std::begin(kServices), std::end(kServices));
  services.emplace_back("");
  for (const std::string& service : services) {
    health::HealthCheckResponse response;
    EXPECT_THAT(check(service, &response), IsOkStatus()) << service;
    EXPECT_EQ(response.status(), health::HealthCheckResponse::SERVING) << service;
  }
  health::HealthCheckResponse response;
  EXPECT_EQ(check("igpt.v1.NoService", &response).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST(IgptdServiceTest, HealthCanBeWatched) {
  Igptd igptd;
  const auto stub = health::Health::NewStub(igptd.channel);
  for (const auto& [service, status] : std::map<std::string, health::HealthCheckResponse::ServingStatus>{
           {"", health::HealthCheckResponse::SERVING},
           {kServices[0], health::HealthCheckResponse::SERVING},
           {"igpt.v1.NoService", health::HealthCheckResponse::SERVICE_UNKNOWN}}) {
    grpc::ClientContext context;
    health::HealthCheckRequest request;
    request.set_service(service);
    const auto watch = stub->Watch(&context, request);
    health::HealthCheckResponse response;
    ASSERT_TRUE(watch->Read(&response)) << service;
    EXPECT_EQ(response.status(), status) << service;
    context.TryCancel();
    EXPECT_FALSE(watch->Read(&response));
    EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  igptd.Stop();
  EXPECT_THAT(igptd.CallLines(), IsEmpty());  // probes aren't logged
}

// One answer from either version of the reflection service. Their messages are the same on the wire.
reflection::ServerReflectionResponse Reflect(const Igptd& igptd, const std::string& version,
                                             const reflection::ServerReflectionRequest& request) {
  const RawAnswer answer =
      CallRaw(igptd.channel, "/grpc.reflection." + version + ".ServerReflection/ServerReflectionInfo",
              request.SerializeAsString());
  EXPECT_THAT(answer.status, IsOkStatus()) << version;
  reflection::ServerReflectionResponse response;
  EXPECT_TRUE(response.ParseFromString(answer.bytes)) << version;
  return response;
}

// A stream with several requests, one of which is invalid.
TEST(IgptdServiceTest, ReflectionAnswersEachRequest) {
  Igptd igptd;
  grpc::ClientContext context;
  const auto stream = reflection::ServerReflection::NewStub(igptd.channel)->ServerReflectionInfo(&context);
  reflection::ServerReflectionRequest request;
  reflection::ServerReflectionResponse response;
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.error_response().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  for (int i = 0; i < 3; ++i) {
    request.set_host("h");
    request.set_file_by_filename("igpt/v1/recall.proto");
    ASSERT_TRUE(stream->Write(request));
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_EQ(response.valid_host(), "h");
    EXPECT_EQ(response.original_request().file_by_filename(), request.file_by_filename());
    EXPECT_GT(response.file_descriptor_response().file_descriptor_proto_size(), 1);
  }
  ASSERT_TRUE(stream->WritesDone());
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_THAT(stream->Finish(), IsOkStatus());
}

TEST(IgptdServiceTest, Reflection) {
  Igptd igptd;
  for (const char* version : {"v1", "v1alpha"}) {
    reflection::ServerReflectionRequest request;
    request.set_list_services("*");
    std::vector<std::string> names;
    const reflection::ServerReflectionResponse list = Reflect(igptd, version, request);
    for (const auto& service : list.list_services_response().service()) names.push_back(service.name());
    EXPECT_THAT(names, IsSupersetOf(kServices)) << version;

    for (const std::string service : kServices) {
      request.set_file_containing_symbol(service);
      const reflection::ServerReflectionResponse response = Reflect(igptd, version, request);
      std::vector<std::string> described;
      for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
        google::protobuf::FileDescriptorProto file;
        ASSERT_TRUE(file.ParseFromString(bytes));
        for (const auto& one : file.service()) described.push_back(file.package() + "." + one.name());
      }
      EXPECT_THAT(described, Contains(service)) << version;
    }

    request.set_file_containing_symbol("igpt.v1.Nothing");
    EXPECT_EQ(Reflect(igptd, version, request).error_response().error_code(), grpc::StatusCode::NOT_FOUND) << version;
  }
}

}  // namespace
}  // namespace igpt::testing
