// igptd's gRPC server: the loops, their iGPT clients, the services on them, and their end.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "igpt/options.h"
#include "service/access/caller_gate.h"
#include "service/access/callers.h"
#include "service/access/user_hash.h"
#include "service/api/connectors_service.h"
#include "service/api/datasources_service.h"
#include "service/api/handlers.h"
#include "service/api/recall_service.h"
#include "service/edge/connection_guard.h"
#include "service/edge/listener.h"
#include "service/edge/tls_credentials.h"
#include "service/limits/admission.h"
#include "service/limits/resource_guard.h"
#include "service/observe/metrics.h"
#include "service/readiness.h"
#include "service/rpc/call.h"
#include "service/standard/channelz.h"
#include "service/standard/health.h"
#include "service/standard/reflection.h"

namespace igptd {

struct ServerOptions {
  std::string listen;  // host:port; port 0 picks one
  igpt::Options client;
  absl::Duration heartbeat_interval;  // zero: off
  absl::Duration stalled_reader_timeout;
  AdmissionOptions admission = {};
  std::optional<TlsMaterial> tls;                                // valid; nullopt: plain text
  std::optional<Callers> callers;                                // nullopt: whoever can connect may call
  bool channelz = false;                                         // serve grpc.channelz.v1.Channelz
  bool forward_faults = false;                                   // pass the callers' x-sandbox-fault metadata on
  std::function<void(const rpc::CallRecord&)> on_call_finished;  // runs on the loops' threads; must not block
  Metrics* metrics;                                              // outlives the server
};

class Server {
 public:
  // Serves when it returns. INVALID_ARGUMENT for options that the SDK refuses; UNAVAILABLE when the address can't be
  // listened on.
  static absl::StatusOr<std::unique_ptr<Server>> Start(ServerOptions options);

  // As Drain with no time.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The port that is listened on.
  int port() const { return listener_->port(); }

  // The key of requests to iGPT from now on; INVALID_ARGUMENT leaves the old one.
  absl::Status SetApiKey(const std::string& key);

  // For connections from now on. Only where ServerOptions had TLS, and the same about the callers' authorities.
  void UseTls(TlsMaterial material);

  // For calls from now on.
  void UseCallers(const Callers& callers);

  // What health checks say. From any thread.
  Readiness& readiness() { return readiness_; }

  // Whether every loop does something within the limit. From any thread.
  bool Responds(absl::Duration limit);

  // Makes health checks say NOT_SERVING; calls are still served.
  void AnnounceShutdown();

  // Takes no new connections, asks callers to leave theirs, waits up to `timeout` for the calls that run, ends what is
  // left with SHUTTING_DOWN, and returns when all have ended.
  void Drain(absl::Duration timeout);

  // Ends what a Drain in another thread still waits for, now.
  void EndCalls();

 private:
  struct Worker;

  explicit Server(ServerOptions options);
  absl::Status Run();
  // Whether a call may begin, and what it takes then; nullopt: it may.
  std::optional<CallStatus> Admit(const CallerGate& gate, rpc::ServerCall& call);
  void AcceptCalls();
  void OnStrain(Strains strains);
  void BreakConnections();
  // What is there, on all loops.
  struct Load {
    size_t calls = 0;
    size_t connections = 0;
    size_t operations = 0;  // that gRPC was asked for and has not completed
  };
  Load CountLoad();
  // Has every loop run `ask`; false when one has not done so within the limit: it still will.
  bool AskLoops(absl::Duration limit, const std::function<void(Worker&)>& ask);
  // Adds what is known of the server as a whole.
  void Collect(MetricFamilies& families);
  // Until all is done that gRPC had begun when it was shut down: health watches end then, and need their loop for it.
  void AwaitLastOperations();
  // Whether there is no call any more, which is waited for until `limit`.
  bool AwaitNoCalls(absl::Time limit);
  // Until those who were sent a GOAWAY have gone, or could have: calls that they sent before they knew of it have come.
  void AwaitDepartures(absl::Time limit);

  const ServerOptions options_;
  const UserHash user_hash_;
  Admission admission_;
  std::unique_ptr<TlsIdentity> tls_;  // null: plain text
  RecallRequests recall_;
  ConnectorsRequests connectors_;
  DatasourcesRequests datasources_;
  HealthRequests health_requests_;
  ReflectionRequests reflection_v1_{"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"};
  ReflectionRequests reflection_v1alpha_{"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"};
  ChannelzRequests channelz_requests_;
  std::unique_ptr<Health> health_;
  Readiness readiness_;
  std::vector<std::unique_ptr<Reflection>> reflections_;
  std::unique_ptr<Channelz> channelz_;  // null: not served
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<grpc::ServerCompletionQueue> incoming_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> connector_;  // what gRPC takes connections with
  std::unique_ptr<grpc::Server> server_;
  ConnectionGuard guard_;
  std::unique_ptr<ResourceGuard> resource_guard_;
  Counter connections_opened_;  // these two are the listener's thread's
  Counter connections_closed_;
  std::unique_ptr<Listener> listener_;
  std::thread acceptor_;
  bool drained_ = false;
  std::atomic<bool> cut_short_ = false;
};

}  // namespace igptd
