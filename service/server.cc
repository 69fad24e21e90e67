#include "service/server.h"

#include <grpc/grpc.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <climits>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "igpt/client.h"
#include "service/access/caller_auth.h"
#include "service/access/caller_gate.h"
#include "service/edge/connection_guard.h"
#include "service/edge/goaway.h"
#include "service/observe/admission_metrics.h"
#include "service/rpc/loop.h"
#include "service/system/allocator.h"
#include "service/system/cores.h"

namespace igptd {
namespace {

constexpr std::array kServices = {
    "igpt.v1.RecallService", "igpt.v1.ConnectorsService",           "igpt.v1.DatasourcesService",
    "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"};

// How many calls of each RPC gRPC may hand over at once to each loop; each that comes asks for another.
constexpr int kAcceptedAhead = 16;

constexpr int kMaxRequestBytes = 4 << 20;
// Far more than the limit that calls are held to, rpc::kMaxMetadataBytes: gRPC ends the connection, with all its calls,
// when headers over its own come in two reads.
constexpr int kMaxHeaderListBytes = 64 << 10;
constexpr int kMaxReadBytes = 16 << 10;

// After the drain has ended the calls that were left, their last messages need a moment to be written.
constexpr absl::Duration kGoodbye = absl::Seconds(1);

// How long callers may take to leave their connections once the last call has ended: one on a busy machine may be late
// to learn that it should, and send a call until it does. Those that don't leave at all may not even look at them.
constexpr absl::Duration kDeparture = absl::Seconds(5);

// How often they are asked to leave. Who was in the TLS handshake at the first time has not heard it.
constexpr absl::Duration kAskAgain = absl::Milliseconds(500);

// How long a scrape waits for the loops.
constexpr absl::Duration kAskLimit = absl::Seconds(1);

// How often a drain looks whether calls are left.
constexpr absl::Duration kCountInterval = absl::Milliseconds(20);

void SetConnectionOptions(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMaxRequestBytes);
  // Clients may ping every 10 s, also without a call.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // A client that vanished without a word is found within 30 s.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 15'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  // Connections move on to new replicas, but never at the cost of a stream.
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, 300'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, INT_MAX);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 3'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxOpenStreams);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxHeaderListBytes);
  // What gRPC reads at once it takes apart before anything else: in 4 MiB, its own limit, there is room for 150,000
  // calls.
  builder.AddChannelArgument(GRPC_ARG_TCP_MAX_READ_CHUNK_SIZE, kMaxReadBytes);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 1);  // the guard counts by it
}

// How a call ends that there is no room for. Those that are shed together don't come back together: gRPC's clients wait
// exactly as long as they are told.
CallStatus Shed(rpc::ServerCall& call, const Admission::Shed& shed) {
  thread_local absl::InsecureBitGen random;
  const absl::Duration wait = absl::Ceil(shed.retry_after * absl::Uniform(random, 1.0, 2.0), absl::Milliseconds(1));
  call.AddTrailer("grpc-retry-pushback-ms", absl::StrCat(absl::ToInt64Milliseconds(wait)));
  return ToCallStatus(Refusal::kOverloaded, {.retry_after = wait, .limit = LimitName(shed.limit)});
}

}  // namespace

// A loop with all that lives on it. The members go in the reverse order.
struct Server::Worker {
  CallerGate gate;
  rpc::CallEnvironment environment;
  rpc::CallEnvironment background;  // of health's and reflection's calls
  rpc::CallEnvironment debugging;   // of channelz's
  std::unique_ptr<rpc::Loop> loop;
  std::unique_ptr<igpt::Client> client;
  std::unique_ptr<HandlerContext> context;
  std::unique_ptr<RecallService> recall;
  std::unique_ptr<ConnectorsService> connectors;
  std::unique_ptr<DatasourcesService> datasources;
};

absl::StatusOr<std::unique_ptr<Server>> Server::Start(ServerOptions options) {
  std::unique_ptr<Server> server(new Server(std::move(options)));
  if (absl::Status started = server->Run(); !started.ok()) return started;
  return server;
}

Server::Server(ServerOptions options)
    : options_(std::move(options)),
      user_hash_(options_.client.api_key),
      admission_(options_.admission),
      tls_(options_.tls ? std::make_unique<TlsIdentity>(*options_.tls) : nullptr),
      readiness_([this](bool ready) { health_->SetServing(ready); }) {}

absl::Status Server::Run() {
  for (int i = UsableCores(); i > 0; --i) {
    auto worker = std::make_unique<Worker>();
    absl::StatusOr<std::unique_ptr<rpc::Loop>> loop = rpc::Loop::Create();
    if (!loop.ok()) return loop.status();
    worker->loop = *std::move(loop);
    LoopMetrics& metrics = options_.metrics->AddLoop();
    worker->environment = {
        options_.stalled_reader_timeout, options_.on_call_finished, /*background=*/false,
        [this, &gate = worker->gate](rpc::ServerCall& call) { return Admit(gate, call); },
        [&metrics](std::string_view method, bool streams) -> rpc::CallObserver* {
          return metrics.methods.emplace_back(std::make_unique<MethodMetrics>(method, streams)).get();
        }};
    worker->background = {options_.stalled_reader_timeout, [](const rpc::CallRecord& /*record*/) {},
                          /*background=*/true,
                          [&gate = worker->gate](rpc::ServerCall& call) { return gate.AdmitStandard(call); }};
    worker->debugging = worker->background;
    worker->debugging.admit = [&gate = worker->gate](rpc::ServerCall& call) { return gate.AdmitKnown(call); };
    igpt::Options client_options = options_.client;
    client_options.observer = &metrics.upstream;
    absl::StatusOr<std::unique_ptr<igpt::Client>> client =
        igpt::Client::Create(std::move(client_options), &worker->loop->events());
    if (!client.ok()) return client.status();
    worker->client = *std::move(client);
    if (options_.callers) worker->gate.Use(std::make_shared<const CallerAuth>(*options_.callers));
    workers_.push_back(std::move(worker));
  }

  absl::StatusOr<std::unique_ptr<Listener>> listener = Listener::Listen(options_.listen);
  if (!listener.ok()) return listener.status();
  listener_ = *std::move(listener);

  grpc::ServerBuilder builder;
  SetConnectionOptions(builder);
  connector_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      tls_ == nullptr ? grpc::InsecureServerCredentials() : tls_->MakeCredentials());
  builder.RegisterService(&recall_);
  builder.RegisterService(&connectors_);
  builder.RegisterService(&datasources_);
  builder.RegisterService(&health_requests_);
  builder.RegisterService(&reflection_v1_);
  builder.RegisterService(&reflection_v1alpha_);
  if (options_.channelz) builder.RegisterService(&channelz_requests_);
  incoming_ = builder.AddCompletionQueue();
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) return absl::InternalError("gRPC could not start a server");

  const absl::Duration heartbeat =
      options_.heartbeat_interval == absl::ZeroDuration() ? absl::InfiniteDuration() : options_.heartbeat_interval;
  for (const std::unique_ptr<Worker>& worker : workers_) {
    worker->context = std::make_unique<HandlerContext>(
        HandlerContext{*worker->client, user_hash_, options_.client.user, heartbeat, options_.forward_faults});
    worker->recall =
        std::make_unique<RecallService>(recall_, *worker->context, *worker->loop, worker->environment, incoming_.get());
    worker->connectors = std::make_unique<ConnectorsService>(connectors_, *worker->context, *worker->loop,
                                                             worker->environment, incoming_.get());
    worker->datasources = std::make_unique<DatasourcesService>(datasources_, *worker->context, *worker->loop,
                                                               worker->environment, incoming_.get());
  }
  // In turn, since gRPC hands calls over in the order in which they were asked for.
  for (int i = 0; i < kAcceptedAhead; ++i) {
    for (const std::unique_ptr<Worker>& worker : workers_) {
      worker->recall->Accept();
      worker->connectors->Accept();
      worker->datasources->Accept();
    }
  }
  std::vector<std::string> services(kServices.begin(), kServices.end());
  if (options_.channelz) services.emplace_back("grpc.channelz.v1.Channelz");
  Worker& first = *workers_.front();
  health_ = std::make_unique<Health>(health_requests_, services, *first.loop, first.background, incoming_.get());
  health_->Accept();
  for (ReflectionRequests* version : {&reflection_v1_, &reflection_v1alpha_}) {
    reflections_.push_back(
        std::make_unique<Reflection>(*version, services, *first.loop, first.background, incoming_.get()));
    reflections_.back()->Accept();
  }
  if (options_.channelz) {
    channelz_ = std::make_unique<Channelz>(channelz_requests_, *first.loop, first.debugging, incoming_.get());
    channelz_->Accept();
  }
  resource_guard_ = std::make_unique<ResourceGuard>([this](Strains strains) { OnStrain(strains); });
  options_.metrics->AddSource([this](MetricFamilies& families) { Collect(families); });
  acceptor_ = std::thread([this] { AcceptCalls(); });
  listener_->Start({.accepted =
                        [this](int fd, int listening_fd) {
                          grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
                          connection.listener_fd = listening_fd;
                          connection.fd = fd;
                          connector_->HandleNewConnection(&connection);
                        },
                    .opened =
                        [this](const std::shared_ptr<rpc::Connection>& connection) {
                          connections_opened_.Increment();
                          guard_.Opened(connection);
                          for (const auto& worker : workers_) worker->loop->AddConnection(connection);
                        },
                    .closed =
                        [this](const std::shared_ptr<rpc::Connection>& connection) {
                          connections_closed_.Increment();
                          guard_.Closed(connection);
                          for (const auto& worker : workers_) worker->loop->RemoveConnection(connection);
                        }});
  return absl::OkStatus();
}

// Who calls is known first: limits are a caller's.
std::optional<CallStatus> Server::Admit(const CallerGate& gate, rpc::ServerCall& call) {
  if (std::optional<CallStatus> denied = gate.Admit(call)) return denied;
  static const CallerLimits kUnnamed;
  const CallerLimits& limits = call.caller() == nullptr ? kUnnamed : call.caller()->limits;
  auto [permit, shed] = admission_.Admit(limits, HostOf(call.peer()), resource_guard_->strains(), absl::Now());
  if (shed.has_value()) return Shed(call, *shed);
  call.Keep(std::move(permit));
  return std::nullopt;
}

// Each tag is that of a call which was handed over, or will never be: it goes to its loop, or away.
void Server::AcceptCalls() {
  void* tag;
  bool ok;
  while (incoming_->Next(&tag, &ok)) static_cast<rpc::Operation*>(tag)->OnCompleted(ok);
}

absl::Status Server::SetApiKey(const std::string& key) {
  for (const std::unique_ptr<Worker>& worker : workers_) {
    if (absl::Status set = worker->client->SetApiKey(key); !set.ok()) return set;
  }
  return absl::OkStatus();
}

void Server::UseTls(TlsMaterial material) {
  tls_->Use(std::move(material));
}

void Server::UseCallers(const Callers& callers) {
  for (const std::unique_ptr<Worker>& worker : workers_) {
    // One for each loop: what all calls take and give back would go from core to core.
    worker->loop->events().Post([&gate = worker->gate, auth = std::make_shared<const CallerAuth>(callers)]() mutable {
      gate.Use(std::move(auth));
    });
  }
}

void Server::AnnounceShutdown() {
  readiness_.Block("draining");
}

// What malloc keeps of freed memory would be a strain for good.
void Server::OnStrain(Strains strains) {
  ReturnFreedMemory(/*at_once=*/strains.memory != Strain::kNone);
  for (const std::unique_ptr<Worker>& worker : workers_) worker->loop->events().Post(&ReturnKeptMemory);
  for (const auto& [strain, why] :
       {std::pair(strains.memory, "short of memory"), std::pair(strains.descriptors, "short of file descriptors")}) {
    strain == Strain::kFull ? readiness_.Block(why) : readiness_.Unblock(why);
  }
}

bool Server::AskLoops(absl::Duration limit, const std::function<void(Worker&)>& ask) {
  struct Answers {
    std::atomic<size_t> missing;
    absl::Notification all;
  };
  const auto answers = std::make_shared<Answers>();
  answers->missing = workers_.size();
  for (const std::unique_ptr<Worker>& worker : workers_) {
    worker->loop->events().Post([answers, ask, &asked = *worker] {
      ask(asked);
      if (--answers->missing == 0) answers->all.Notify();
    });
  }
  return answers->all.WaitForNotificationWithTimeout(limit);
}

bool Server::Responds(absl::Duration limit) {
  return AskLoops(limit, [](Worker& /*worker*/) {});
}

void Server::Collect(MetricFamilies& families) {
  struct Upstream {
    std::atomic<double> retries = 0;
    std::atomic<double> held_back_share = 0;
    std::atomic<double> held_back = 0;
  };
  const auto upstream = std::make_shared<Upstream>();
  const bool asked = AskLoops(kAskLimit, [upstream, loops = workers_.size()](Worker& worker) {
    upstream->retries += worker.client->RetriesLeft();
    upstream->held_back_share += worker.client->HeldBackShare() / static_cast<double>(loops);
    upstream->held_back += static_cast<double>(worker.client->HeldBack());
  });
  if (asked) {
    AddGauge(families, "igptd_upstream_retry_budget", "For how many retries there is room now.", upstream->retries);
    AddGauge(families, "igptd_upstream_held_back_ratio", "The share of requests that is held back now.",
             upstream->held_back_share);
    AddCounter(families, "igptd_upstream_held_back_total", "Requests that were held back, as iGPT was failing.",
               upstream->held_back);
  }
  CollectAdmission(families, admission_, *resource_guard_);
  const auto closed = static_cast<double>(connections_closed_.value());
  const auto opened = static_cast<double>(connections_opened_.value());
  AddCounter(families, "igptd_connections_opened_total", "Connections that callers opened.", opened);
  AddGauge(families, "igptd_connections", "Connections of callers that are open.", opened - closed);
  AddCounter(families, "igptd_connections_ended_by_guard_total",
             "Connections that the guard ended, since they only cost.", static_cast<double>(guard_.ended()));
  AddGauge(families, "igptd_ready", "1 when igptd is ready for calls, else 0.", readiness_.WhyNot().empty() ? 1 : 0);
}

void Server::EndCalls() {
  cut_short_ = true;
  for (const std::unique_ptr<Worker>& worker : workers_) {
    rpc::Loop& loop = *worker->loop;
    loop.events().Post([&loop] {
      const std::vector<rpc::ServerCall*> calls(loop.calls().begin(), loop.calls().end());
      for (rpc::ServerCall* call : calls) call->Stop(Refusal::kShuttingDown);
    });
  }
}

// A caller that doesn't even read its socket holds up what gRPC still has to write to it, and gRPC waits for that,
// whatever it is told to cancel.
void Server::BreakConnections() {
  for (const std::unique_ptr<Worker>& worker : workers_) {
    worker->loop->events().Post([&loop = *worker->loop] { loop.BreakConnections(); });
  }
}

void Server::Drain(absl::Duration timeout) {
  if (server_ == nullptr || std::exchange(drained_, true)) return;
  AnnounceShutdown();
  const absl::Time limit = absl::Now() + timeout;
  listener_->Stop();
  if (SendGoaways(*server_)) AwaitDepartures(limit);
  absl::Notification shut_down;
  std::thread ender([&] {
    // What is left at the end is ended here, with a status that says why, before gRPC would cut it off.
    const absl::Time end = cut_short_ ? absl::Now() : limit;
    if (!AwaitNoCalls(end)) {
      EndCalls();
      if (!AwaitNoCalls(end + kGoodbye)) {
        BreakConnections();
        AwaitNoCalls(end + 2 * kGoodbye);
      }
    }
    // gRPC waits for the connections too, and some clients don't look at an idle one for as long as they live.
    if (!shut_down.WaitForNotificationWithTimeout(kCountInterval)) grpc_server_cancel_all_calls(server_->c_server());
  });
  server_->Shutdown(std::chrono::system_clock::time_point::max());
  shut_down.Notify();
  ender.join();
}

Server::Load Server::CountLoad() {
  std::atomic<size_t> calls = 0;
  std::atomic<size_t> connections = 0;
  std::atomic<size_t> operations = 0;
  AskLoops(absl::InfiniteDuration(), [&](Worker& worker) {
    calls += worker.loop->calls().size();
    connections = worker.loop->connections();  // every loop knows all of them
    operations += static_cast<size_t>(worker.loop->outstanding());
  });
  return {calls, connections, operations};
}

// The first look comes late enough for calls that gRPC had accepted before it stopped doing so.
bool Server::AwaitNoCalls(absl::Time limit) {
  do {
    absl::SleepFor(kCountInterval);
    if (CountLoad().calls == 0) return true;
  } while (absl::Now() < limit);
  return false;
}

void Server::AwaitDepartures(absl::Time limit) {
  absl::Time patience = absl::Now() + kDeparture;
  absl::Time ask_again = absl::Now() + kAskAgain;
  while (absl::Now() < std::min(limit, patience) && !cut_short_) {
    if (absl::Now() >= ask_again) {
      SendGoaways(*server_);
      ask_again = absl::Now() + kAskAgain;
    }
    const Load load = CountLoad();
    if (load.calls > 0) patience = absl::Now() + kDeparture;
    if (load.calls == 0 && load.connections == 0) return;
    absl::SleepFor(kCountInterval);
  }
}

void Server::AwaitLastOperations() {
  const absl::Time limit = absl::Now() + kGoodbye;
  while (CountLoad().operations > 0 && absl::Now() < limit) absl::SleepFor(absl::Milliseconds(1));
}

Server::~Server() {
  Drain(absl::ZeroDuration());
  listener_.reset();  // it tells the loops of connections
  if (incoming_ != nullptr) {
    incoming_->Shutdown();
    if (acceptor_.joinable()) {
      acceptor_.join();
    } else {
      void* tag;
      bool ok;
      while (incoming_->Next(&tag, &ok)) {
      }
    }
  }
  AwaitLastOperations();
}

}  // namespace igptd
