#include "tests/integration/igptd/igptd_fixture.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "tests/support/http_client.h"

namespace igpt::testing {
namespace {

Metadata Copy(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  Metadata copy;
  for (const auto& [key, value] : metadata) {
    copy.emplace(std::string(key.data(), key.size()), std::string(value.data(), value.size()));
  }
  return copy;
}

// With a deadline, so that a call that hangs fails its test instead of hanging it.
void Limit(grpc::ClientContext& context) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + 2 * kWaitLimit));
}

template <typename Response, typename Stub, typename Request>
Unary<Response> Call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                     const Request& request, const Prepare& prepare) {
  grpc::ClientContext context;
  Limit(context);
  if (prepare) prepare(context);
  Unary<Response> answer;
  answer.status = (stub.*method)(&context, request, &answer.response);
  answer.initial = Copy(context.GetServerInitialMetadata());
  answer.trailing = Copy(context.GetServerTrailingMetadata());
  return answer;
}

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string ToString(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return "";
  std::string bytes;
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

AdminAnswer ToAnswer(const HttpReply& reply) {
  if (!reply.whole) return {};
  return {reply.status, reply.Header("Content-Type"), reply.body};
}

}  // namespace

ErrorDetails DetailsOf(const grpc::Status& status) {
  ErrorDetails details;
  google::rpc::Status proto;
  if (!proto.ParseFromString(status.error_details())) return details;
  for (const google::protobuf::Any& any : proto.details()) {
    google::rpc::BadRequest bad;
    google::rpc::RetryInfo retry;
    any.UnpackTo(&details.info);
    if (any.UnpackTo(&retry)) details.retry_info = retry;
    if (!any.UnpackTo(&bad)) continue;
    for (const auto& violation : bad.field_violations()) details.bad_fields.push_back(violation.field());
  }
  return details;
}

Igptd::Igptd(const std::vector<std::string>& flags, const std::vector<std::string>& environment) {
  // As variables, so that a test's flags win.
  std::vector<std::string> variables = environment;
  variables.push_back("IGPTD_IGPT_BASE_URL=" + upstream.url("/v1"));
  variables.push_back("IGPTD_DRAIN_DELAY=0s");
  variables.push_back("IGPTD_DRAIN_TIMEOUT=0s");
  absl::StatusOr<std::unique_ptr<IgptdProcess>> started = IgptdProcess::Start(flags, variables);
  if (!started.ok()) {
    std::fprintf(stderr, "%s\n", started.status().ToString().c_str());
    std::abort();
  }
  process = *std::move(started);
  UseChannel(NewChannel());
}

void Igptd::UseChannel(std::shared_ptr<grpc::Channel> other) {
  channel = std::move(other);
  recall = igpt::v1::RecallService::NewStub(channel);
  datasources = igpt::v1::DatasourcesService::NewStub(channel);
  connectors = igpt::v1::ConnectorsService::NewStub(channel);
}

Igptd::~Igptd() {
  Stop();
}

void Igptd::Stop() {
  if (process->AwaitExit(absl::ZeroDuration())) return;
  process->Signal(SIGTERM);
  EXPECT_THAT(process->AwaitExit(), ::testing::Optional(0)) << process->Stderr();
}

std::vector<nlohmann::json> Igptd::CallLines() const {
  std::vector<nlohmann::json> calls;
  std::istringstream lines(process->Stderr());
  for (std::string line; std::getline(lines, line);) {
    nlohmann::json json = nlohmann::json::parse(line, /*cb=*/nullptr, /*allow_exceptions=*/false);
    EXPECT_TRUE(json.is_object()) << line;
    if (json.is_object() && json.value("message", "") == "call") calls.push_back(std::move(json));
  }
  return calls;
}

AdminAnswer Igptd::Get(const std::string& path) const {
  return ToAnswer(HttpClient().Get("http://" + process->admin_address() + path));
}

AdminAnswer Igptd::Post(const std::string& path, const std::string& body) const {
  return ToAnswer(HttpClient().Post("http://" + process->admin_address() + path, {}, body));
}

Series Igptd::Metrics() const {
  const AdminAnswer answer = Get("/metrics");
  EXPECT_EQ(answer.status, 200);
  Series series;
  std::istringstream lines(answer.body);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '#') continue;
    const size_t space = line.rfind(' ');
    const bool added = series.emplace(line.substr(0, space), std::strtod(line.c_str() + space, nullptr)).second;
    EXPECT_TRUE(added) << "twice: " << line;
  }
  return series;
}

Series Igptd::MetricsAtRest() const {
  for (const absl::Time limit = absl::Now() + kWaitLimit;;) {
    Series series = Metrics();
    double running = 0;
    for (const auto& [name, value] : series) {
      if (absl::StartsWith(name, "grpc_server_started_total{")) running += value;
      if (absl::StartsWith(name, "grpc_server_handled_total{")) running -= value;
    }
    if (running == 0) return series;
    if (absl::Now() >= limit) {
      ADD_FAILURE() << running << " calls still run";
      return series;
    }
    absl::SleepFor(absl::Milliseconds(5));
  }
}

std::shared_ptr<grpc::Channel> Igptd::NewChannel() const {
  return NewChannel(grpc::InsecureChannelCredentials());
}

std::shared_ptr<grpc::Channel> Igptd::NewChannel(const std::shared_ptr<grpc::ChannelCredentials>& credentials) const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(process->address(), credentials, arguments);
}

Stream Igptd::Ask(const igpt::v1::AskRequest& request, const Prepare& prepare) {
  grpc::ClientContext context;
  Limit(context);
  if (prepare) prepare(context);
  return ReadAll(context, *recall->Ask(&context, request));
}

Stream Igptd::Run(const igpt::v1::RunRequest& request, const Prepare& prepare) {
  grpc::ClientContext context;
  Limit(context);
  if (prepare) prepare(context);
  return ReadAll(context, *recall->Run(&context, request));
}

Unary<igpt::v1::SearchResponse> Igptd::Search(const igpt::v1::SearchRequest& request, const Prepare& prepare) {
  return Call(*recall, &igpt::v1::RecallService::Stub::Search, request, prepare);
}

Unary<igpt::v1::ListResponse> Igptd::List(const igpt::v1::ListRequest& request, const Prepare& prepare) {
  return Call(*datasources, &igpt::v1::DatasourcesService::Stub::List, request, prepare);
}

Unary<igpt::v1::DisconnectResponse> Igptd::Disconnect(const igpt::v1::DisconnectRequest& request,
                                                      const Prepare& prepare) {
  return Call(*datasources, &igpt::v1::DatasourcesService::Stub::Disconnect, request, prepare);
}

Unary<igpt::v1::AuthorizeResponse> Igptd::Authorize(const igpt::v1::AuthorizeRequest& request, const Prepare& prepare) {
  return Call(*connectors, &igpt::v1::ConnectorsService::Stub::Authorize, request, prepare);
}

std::string LabelOf(const std::string& series, const std::string& label) {
  const std::string start = label + "=\"";
  const size_t found = series.find(start);
  if (found == std::string::npos) return "";
  const size_t begin = found + start.size();
  return series.substr(begin, series.find('"', begin) - begin);
}

template <typename Response>
Stream ReadAll(grpc::ClientContext& context, grpc::ClientReader<Response>& reader) {
  Stream stream;
  for (Response response; reader.Read(&response);) {
    if (response.has_event()) stream.events.push_back(std::move(*response.mutable_event()));
    if (response.has_heartbeat()) ++stream.heartbeats;
  }
  stream.status = reader.Finish();
  stream.initial = Copy(context.GetServerInitialMetadata());
  stream.trailing = Copy(context.GetServerTrailingMetadata());
  return stream;
}

template Stream ReadAll(grpc::ClientContext& context, grpc::ClientReader<igpt::v1::AskResponse>& reader);
template Stream ReadAll(grpc::ClientContext& context, grpc::ClientReader<igpt::v1::RunResponse>& reader);

RawAnswer CallRaw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method, const std::string& request,
                  const Prepare& prepare) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  Limit(context);
  if (prepare) prepare(context);
  grpc::CompletionQueue queue;
  // There is only one operation at a time, so whatever comes out of the queue is the one that was started.
  const auto wait = [&queue] {
    void* tag;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call = stub.PrepareCall(&context, method, &queue);
  call->StartCall(nullptr);
  RawAnswer answer;
  if (wait()) {
    call->WriteLast(ToBuffer(request), {}, nullptr);
    wait();
    grpc::ByteBuffer buffer;
    call->Read(&buffer, nullptr);
    if (wait()) answer.bytes = ToString(buffer);
  }
  call->Finish(&answer.status, nullptr);
  wait();
  return answer;
}

Handler RunUntil(const Event& go_on) {
  return [&go_on](Exchange& exchange) {
    exchange.StartSse();
    exchange.SendSse(kRunStart);
    exchange.WaitFor(go_on);
    exchange.SendSse(kRunDone);
    exchange.EndChunked();
  };
}

}  // namespace igpt::testing
