// A real igptd between real gRPC clients and a scripted iGPT.
//
//   Igptd igptd;
//   igptd.upstream.OnNextRequest([](Exchange& exchange) { exchange.Answer(200, R"({"output":"Yes."})"); });
//   const Stream stream = igptd.Ask(AskFor("ada", "Is it so?"));
//   EXPECT_THAT(stream.status, IsOkStatus());
//
// What a handler captures by reference has to be declared before the Igptd.
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
#include "igpt/v1/connectors.grpc.pb.h"
#include "igpt/v1/datasources.grpc.pb.h"
#include "igpt/v1/recall.grpc.pb.h"
#include "nlohmann/json.hpp"
#include "tests/support/igptd_process.h"
#include "tests/support/scripted_http_server.h"

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
  std::vector<igpt::v1::AskResponse> events;
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

// An answer of the admin server. Status 0: there was none.
struct AdminAnswer {
  int status = 0;
  std::string type;
  std::string body;
};

// What /metrics says: for every series, as it is written ("igptd_streams_in_flight", "grpc_server_started_total{…}"),
// its value.
using Series = std::map<std::string, double>;

// Sets up a call: its metadata, its deadline.
using Prepare = std::function<void(grpc::ClientContext&)>;

class Igptd {
 public:
  // Serves when it returns, with the upstream's base URL and a drain that waits for nothing. Aborts the test when igptd
  // doesn't start.
  explicit Igptd(const std::vector<std::string>& flags = {},
                 const std::vector<std::string>& environment = {std::string("IGPT_API_KEY=") + kKey});
  // Stops it, if that wasn't done.
  ~Igptd();

  // SIGTERM, and the test fails unless igptd exits with 0.
  void Stop();
  // Every line that was logged for a call. After Stop, that is all of them.
  std::vector<nlohmann::json> CallLines() const;

  // The admin server's pages, each on a connection of its own.
  AdminAnswer Get(const std::string& path) const;
  AdminAnswer Post(const std::string& path, const std::string& body) const;
  Series Metrics() const;
  // The same, as soon as no call runs any more; fails the test when that takes too long. A call counts as ended before
  // its caller knows, unless the caller has gone away.
  Series MetricsAtRest() const;

  // A connection of its own, that no other channel shares.
  std::shared_ptr<grpc::Channel> NewChannel() const;
  // The same with credentials of the test's.
  std::shared_ptr<grpc::Channel> NewChannel(const std::shared_ptr<grpc::ChannelCredentials>& credentials) const;
  // Makes the calls below go there.
  void UseChannel(std::shared_ptr<grpc::Channel> other);

  Stream Ask(const igpt::v1::AskRequest& request, const Prepare& prepare = {});
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

// Reads a stream to its end.
Stream ReadAll(grpc::ClientContext& context, grpc::ClientReader<igpt::v1::AskResponse>& reader);

igpt::v1::AskRequest AskFor(std::string_view user, std::string_view input);

// A call with a request and an answer of any bytes; `method` as "/package.Service/Method".
struct RawAnswer {
  grpc::Status status;
  std::string bytes;
};
RawAnswer CallRaw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method, const std::string& request);

// Whole streams of a run, as iGPT sends them.
inline constexpr char kRunStart[] = R"({"type":"run.start","seq":0,"id":"r1"})";
inline constexpr char kRunDone[] = R"({"type":"run.done","seq":9,"id":"r1","output":"Yes."})";
inline std::string DeltaEvent(int seq, std::string_view text) {
  return R"({"type":"run.output_text.delta","seq":)" + std::to_string(seq) + R"(,"delta":")" + std::string(text) +
         R"("})";
}

// What a label of a series says; empty when it has none of that name.
std::string LabelOf(const std::string& series, const std::string& label);

// A run that begins, and ends once `go_on` is set, which must outlive it.
Handler RunUntil(const Event& go_on);

MATCHER(IsOkStatus, negation ? "is not OK" : "is OK") {
  *result_listener << arg.error_code() << " " << arg.error_message();
  return arg.ok();
}

// A status of that code, with an ErrorInfo of igptd's with that reason.
MATCHER_P2(FailsWith, code, reason, "fails with " + ::testing::PrintToString(code) + "/" + std::string(reason)) {
  const ErrorDetails details = DetailsOf(arg);
  *result_listener << arg.error_code() << "/" << details.info.reason() << " " << arg.error_message();
  return arg.error_code() == code && details.info.reason() == reason && details.info.domain() == "igptd";
}

}  // namespace igpt::testing
