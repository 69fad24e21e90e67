// A real igptd between real gRPC clients and a scripted iGPT.
//
//   Igptd igptd;
//   igptd.upstream.OnNextRequest([](Exchange& exchange) { exchange.Answer(200, R"({"output":"Yes."})"); });
//   const Stream stream = igptd.Ask(AskFor("ada", "Is it so?"));
//   EXPECT_THAT(stream.status, IsOkStatus());
//
// Whatever a handler captures by reference must be declared before the Igptd.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/status.h"
#include "igpt/testing/scripted_http_server.h"
#include "igpt/v1/connectors.grpc.pb.h"
#include "igpt/v1/datasources.grpc.pb.h"
#include "igpt/v1/recall.grpc.pb.h"
#include "nlohmann/json.hpp"
#include "tests/support/igptd_process.h"

namespace igpt::testing {

inline constexpr char kKey[] = "ak:test";

using Metadata = std::multimap<std::string, std::string>;

// The details of a status.
struct ErrorDetails {
  google::rpc::ErrorInfo info;
  std::vector<std::string> bad_fields;  // of the BadRequest, in order
  std::optional<google::rpc::RetryInfo> retry_info;
};
ErrorDetails DetailsOf(const grpc::Status& status);

// How a call ended.
struct Stream {
  std::vector<igpt::v1::RunEvent> events;
  int heartbeats = 0;
  grpc::Status status;
  Metadata initial;
  Metadata trailing;
};
template <typename Response>
struct Unary {
  Response response;
  grpc::Status status;
  Metadata initial;
  Metadata trailing;
};

// The admin server's answer. Status 0: no answer.
struct AdminAnswer {
  int status = 0;
  std::string type;
  std::string body;
};

// The contents of /metrics: the value of each series by its text ("igptd_streams_in_flight",
// "grpc_server_started_total{…}").
using Series = std::map<std::string, double>;

// Sets up a call: its metadata, its deadline.
using Prepare = std::function<void(grpc::ClientContext&)>;

class Igptd {
 public:
  // igptd is serving when this returns, with the upstream's base URL and a drain that waits for nothing. Aborts the
  // test if igptd doesn't start.
  explicit Igptd(const std::vector<std::string>& flags = {},
                 const std::vector<std::string>& environment = {std::string("IGPT_API_KEY=") + kKey});
  // Stops igptd if the test hasn't.
  ~Igptd();

  // Sends SIGTERM, and fails the test unless igptd exits with 0.
  void Stop();
  // The log lines of calls so far. After Stop, that is all of them.
  std::vector<nlohmann::json> CallLines() const;

  // Request a page of the admin server, each on a new connection.
  AdminAnswer Get(const std::string& path) const;
  AdminAnswer Post(const std::string& path, const std::string& body) const;
  Series Metrics() const;
  // The same, once no call is running; fails the test if that takes too long. A call counts as ended before its caller
  // knows, unless the caller has gone away.
  Series MetricsAtRest() const;

  // A channel with its own connection, which no other channel shares.
  std::shared_ptr<grpc::Channel> NewChannel() const;
  // The same, with the test's credentials.
  std::shared_ptr<grpc::Channel> NewChannel(const std::shared_ptr<grpc::ChannelCredentials>& credentials) const;
  // Makes the calls below use this channel.
  void UseChannel(std::shared_ptr<grpc::Channel> other);

  Stream Ask(const igpt::v1::AskRequest& request, const Prepare& prepare = {});
  Stream Run(const igpt::v1::RunRequest& request, const Prepare& prepare = {});
  Unary<igpt::v1::SearchResponse> Search(const igpt::v1::SearchRequest& request, const Prepare& prepare = {});
  Unary<igpt::v1::ListResponse> List(const igpt::v1::ListRequest& request, const Prepare& prepare = {});
  Unary<igpt::v1::DisconnectResponse> Disconnect(const igpt::v1::DisconnectRequest& request,
                                                 const Prepare& prepare = {});
  Unary<igpt::v1::AuthorizeResponse> Authorize(const igpt::v1::AuthorizeRequest& request, const Prepare& prepare = {});

  ScriptedHttpServer upstream;
  std::unique_ptr<IgptdProcess> process;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<igpt::v1::RecallService::Stub> recall;
  std::unique_ptr<igpt::v1::DatasourcesService::Stub> datasources;
  std::unique_ptr<igpt::v1::ConnectorsService::Stub> connectors;
};

// Reads a stream to its end. Response: AskResponse or RunResponse.
template <typename Response>
Stream ReadAll(grpc::ClientContext& context, grpc::ClientReader<Response>& reader);

// Request: AskRequest or RunRequest.
template <typename Request>
Request QuestionFor(std::string_view user, std::string_view input) {
  Request request;
  request.set_user(std::string(user));
  request.set_input(std::string(input));
  return request;
}
inline igpt::v1::AskRequest AskFor(std::string_view user, std::string_view input) {
  return QuestionFor<igpt::v1::AskRequest>(user, input);
}

// A unary call whose request and answer are arbitrary bytes. `method`: "/package.Service/Method".
struct RawAnswer {
  grpc::Status status;
  std::string bytes;
};
RawAnswer CallRaw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method, const std::string& request,
                  const Prepare& prepare = {});

// Whole streams of a run, as iGPT sends them.
inline constexpr char kRunStart[] = R"({"type":"run.start","seq":0,"id":"r1"})";
inline constexpr char kRunDone[] = R"({"type":"run.done","seq":9,"id":"r1","output":"Yes."})";
inline std::string DeltaEvent(int seq, std::string_view text) {
  return R"({"type":"run.output_text.delta","seq":)" + std::to_string(seq) + R"(,"delta":")" + std::string(text) +
         R"("})";
}

// The value of a series' label; empty if it has no such label.
std::string LabelOf(const std::string& series, const std::string& label);

// A run that starts, and ends once `go_on` is set. `go_on` must outlive it.
Handler RunUntil(const Event& go_on);

MATCHER(IsOkStatus, negation ? "is not OK" : "is OK") {
  *result_listener << arg.error_code() << " " << arg.error_message();
  return arg.ok();
}

// A status with this code, and with igptd's ErrorInfo with this reason.
MATCHER_P2(FailsWith, code, reason, "fails with " + ::testing::PrintToString(code) + "/" + std::string(reason)) {
  const ErrorDetails details = DetailsOf(arg);
  *result_listener << arg.error_code() << "/" << details.info.reason() << " " << arg.error_message();
  return arg.error_code() == code && details.info.reason() == reason && details.info.domain() == "igptd";
}

}  // namespace igpt::testing
