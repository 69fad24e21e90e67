#include "service/server.h"

#include <algorithm>
#include <atomic>
#include <climits>
#include <utility>

#include "absl/time/clock.h"
#include "grpcpp/security/server_credentials.h"
#include "igpt/monotonic_time.h"
#include "igpt/unstable/on_loop.h"
#include "service/limits/admission_metrics.h"
#include "service/system/allocator.h"

namespace igptd {
namespace {

// Far above rpc::kMaxRequestBytes, which igptd enforces itself: gRPC would end a call over its limit without a reason.
constexpr int kMaxMessageBytes = 16 << 20;
// Far above rpc::kMaxMetadataBytes, the limit that igptd enforces per call: if headers over gRPC's own limit arrive in
// two reads, gRPC closes the connection with all its calls.
constexpr int kMaxHeaderListBytes = 64 << 10;
constexpr int kMaxReadBytes = 16 << 10;

// How long a scrape waits for the loops.
constexpr absl::Duration kAskLimit = absl::Seconds(1);

// How long the shutdown waits for gRPC's pending operations.
constexpr absl::Duration kLastOperations = absl::Seconds(1);

// gRPC takes milliseconds as an int. The minimum leaves time for the way there and back.
int PingTimeoutMs(absl::Duration stalled_reader_timeout) {
  return static_cast<int>(
      absl::ToInt64Milliseconds(std::clamp(stalled_reader_timeout, absl::Seconds(10), absl::Hours(24))));
}

void SetConnectionOptions(grpc::ServerBuilder& builder, absl::Duration stalled_reader_timeout, bool with_channelz) {
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  // gRPC would unpack a message before anything is known of its caller, and 4 MiB can unpack to 4 GiB. Without the
  // filter that unpacks, a caller that compresses is told so: UNIMPLEMENTED, with the algorithm's name.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
#ifdef GRPC_ARG_ENABLE_DEADLINE_CHECKS
  // Calls end themselves at their deadline. If gRPC 1.51 ended them too, some would get two ends.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_DEADLINE_CHECKS, 0);
#endif
  // Clients may ping every 10 s, even without a call.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // A client that has vanished doesn't even acknowledge the ping; the connection guard sees that. One that
  // acknowledges it but doesn't answer is alive and doesn't read.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 15'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, PingTimeoutMs(stalled_reader_timeout));
  // Makes callers reconnect, and so find new replicas, but never cuts off a stream.
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, 300'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, INT_MAX);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 3'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxOpenStreams);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxHeaderListBytes);
  // gRPC processes everything from one read before it does anything else, and its default of 4 MiB has room for 150,000
  // calls.
  builder.AddChannelArgument(GRPC_ARG_TCP_MAX_READ_CHUNK_SIZE, kMaxReadBytes);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, with_channelz ? 1 : 0);
  // Otherwise gRPC would widen the windows of all streams as it measures the connection, and with them what it buffers
  // of requests that igptd doesn't receive yet. A request that is being received has a window of its own size.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(ServerOptions options) {
  std::unique_ptr<Server> server(new Server(std::move(options)));
  if (absl::Status started = server->Run(); !started.ok()) return started;
  return server;
}

Server::Server(ServerOptions options)
    : options_(std::move(options)),
      user_hash_(options_.user_hash_key.empty() ? options_.client.api_key : options_.user_hash_key),
      admission_(options_.admission),
      entry_rules_{admission_, late_requests_, [this] { return resource_guard_->strains(); }, user_hash_,
                   options_.client.user},
      tls_(options_.tls ? std::make_unique<TlsIdentity>(*options_.tls) : nullptr),
      readiness_([this](bool ready) { workers_.SetServing(ready); }) {}

absl::Status Server::Run() {
  if (absl::Status started =
          workers_.Start(options_.client, options_.calls, entry_rules_, standard_rooms_, *options_.metrics);
      !started.ok()) {
    return started;
  }
  if (options_.callers) workers_.UseCallers(*options_.callers);
  absl::StatusOr<std::unique_ptr<Listener>> listener = Listener::Listen(options_.listen);
  if (!listener.ok()) return listener.status();
  listener_ = *std::move(listener);

  resource_guard_ = std::make_unique<ResourceGuard>([this](Strains strains) { OnStrain(strains); });
  BuildGrpcServer();
  if (server_ == nullptr) return absl::InternalError("gRPC could not start a server");
  drain_ = std::make_unique<Drain>(*server_, workers_, connections_);
  std::vector<rpc::Loop*> loops;
  for (const auto& worker : workers_.all()) loops.push_back(worker->loop.get());
  acceptor_->Start(loops);
  guard_ = std::make_unique<ConnectionGuard>(
      connections_,
      ConnectionGuard::Events{
          .descriptors_are_short = [this] { return resource_guard_->strains().descriptors != Strain::kNone; },
          .traffic = [this] { acceptor_->ExpectTraffic(); }});

  options_.metrics->AddSource([this](MetricFamilies& families) { Collect(families); });
  AcceptConnections();
  return absl::OkStatus();
}

void Server::BuildGrpcServer() {
  grpc::ServerBuilder builder;
  SetConnectionOptions(builder, options_.calls.stalled_reader_timeout, options_.calls.channelz);
  connector_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      tls_ == nullptr ? grpc::InsecureServerCredentials() : tls_->MakeCredentials());
  builder.RegisterAsyncGenericService(&calls_);
  acceptor_ = std::make_unique<rpc::Acceptor>(calls_, builder.AddCompletionQueue(), connections_);
  server_ = builder.BuildAndStart();
}

void Server::AcceptConnections() {
  listener_->Start({.accepted =
                        [this](int fd, int listening_fd) {
                          grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
                          connection.listener_fd = listening_fd;
                          connection.fd = fd;
                          connector_->HandleNewConnection(&connection);
                        },
                    .opened =
                        [this](const std::shared_ptr<CallerConnection>& connection) {
                          connections_opened_.Increment();
                          connections_.Add(connection);
                          guard_->Wake();
                        },
                    .closed =
                        [this](const std::shared_ptr<CallerConnection>& connection) {
                          connections_closed_.Increment();
                          connections_.Remove(connection);
                        }});
}

void Server::UseTls(TlsMaterial material) {
  tls_->Use(std::move(material));
}

// If malloc kept freed memory, the shortage would never end.
void Server::OnStrain(Strains strains) {
  ReturnFreedMemory(/*at_once=*/strains.memory != Strain::kNone);
  workers_.Post([](Worker& /*worker*/) { ReturnKeptMemory(); });
  for (const auto& [strain, why] :
       {std::pair(strains.memory, "short of memory"), std::pair(strains.descriptors, "short of file descriptors")}) {
    strain == Strain::kFull ? readiness_.Block(why) : readiness_.Unblock(why);
  }
}

bool Server::Responds(absl::Duration limit) {
  return workers_.Ask(limit, [](Worker& /*worker*/) {});
}

void Server::Collect(MetricFamilies& families) {
  struct Upstream {
    std::atomic<double> retries = 0;
    std::atomic<double> held_back_share = 0;
    std::atomic<double> held_back = 0;
  };
  const auto upstream = std::make_shared<Upstream>();
  const bool asked = workers_.Ask(kAskLimit, [upstream, loops = workers_.all().size()](Worker& worker) {
    upstream->retries += igpt::unstable::OnLoop::RetriesLeft(*worker.client);
    upstream->held_back_share += igpt::unstable::OnLoop::HeldBackShare(*worker.client) / static_cast<double>(loops);
    upstream->held_back += static_cast<double>(igpt::unstable::OnLoop::HeldBack(*worker.client));
  });
  if (asked) {
    AddGauge(families, "igptd_upstream_retry_budget", "How many more retries are allowed now, over all event loops.",
             upstream->retries);
    AddGauge(families, "igptd_upstream_held_back_ratio", "The share of requests to iGPT that igptd holds back now.",
             upstream->held_back_share);
    AddCounter(families, "igptd_upstream_held_back_total", "Requests to iGPT that igptd held back.",
               upstream->held_back);
  }
  CollectAdmission(families, admission_, late_requests_, standard_rooms_.streams, standard_rooms_.answers,
                   *resource_guard_);
  const auto closed = static_cast<double>(connections_closed_.value());
  const auto opened = static_cast<double>(connections_opened_.value());
  AddCounter(families, "igptd_connections_opened_total", "Connections that callers opened.", opened);
  AddGauge(families, "igptd_connections", "Open connections from callers.", opened - closed);
  AddCounter(families, "igptd_connections_cut_off_total", "Abusive connections that igptd closed.",
             static_cast<double>(listener_->cut_off()));
  auto refused =
      CounterFamily("igptd_connections_refused_total", "Connections that igptd closed at once, by the reason.");
  AddValue(refused, {{"reason", "waits"}}, static_cast<double>(listener_->refused_waiting()));
  AddValue(refused, {{"reason", "too_many"}}, static_cast<double>(listener_->refused_too_many()));
  families.push_back(std::move(refused));
  size_t waiting = 0;
  for (const auto& worker : workers_.all()) waiting += worker->loop->waiting();
  AddGauge(families, "igptd_calls_queued", "Accepted calls that wait for their event loop.",
           static_cast<double>(waiting));
  AddGauge(families, "igptd_ready", "1 if /readyz reports ready, otherwise 0.", readiness_.WhyNot().empty() ? 1 : 0);
}

void Server::AnnounceShutdown() {
  readiness_.Block("draining");
}

void Server::Shutdown(absl::Duration timeout) {
  if (drain_ == nullptr || std::exchange(shut_down_, true)) return;
  AnnounceShutdown();
  listener_->Stop();
  drain_->Run(timeout);
}

void Server::EndCalls() {
  drain_->CutShort();
}

void Server::AwaitLastOperations() {
  const auto limit = igpt::MonotonicTime::Now() + kLastOperations;
  while (workers_.CountLoad().operations > 0 && igpt::MonotonicTime::Now() < limit)
    absl::SleepFor(absl::Milliseconds(1));
}

Server::~Server() {
  Shutdown(absl::ZeroDuration());
  guard_.reset();     // it tells the acceptor of traffic
  listener_.reset();  // it tells the guard of connections
  acceptor_.reset();
  AwaitLastOperations();
}

}  // namespace igptd
