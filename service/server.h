// igptd's gRPC server: its loops, the services on them, the connections of its callers, and its end.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "igpt/options.h"
#include "service/access/callers.h"
#include "service/access/entry.h"
#include "service/access/user_hash.h"
#include "service/api/api.h"
#include "service/drain.h"
#include "service/edge/connection_guard.h"
#include "service/edge/listener.h"
#include "service/edge/tls_credentials.h"
#include "service/limits/admission.h"
#include "service/limits/resource_guard.h"
#include "service/observe/metrics.h"
#include "service/readiness.h"
#include "service/standard/standard_services.h"
#include "service/workers.h"

namespace igptd {

struct ServerOptions {
  std::string listen;  // host:port; port 0 picks one
  igpt::Options client;
  CallSettings calls;
  AdmissionOptions admission = {};
  std::optional<TlsMaterial> tls;  // valid; nullopt: plain text
  std::optional<Callers> callers;  // nullopt: whoever can connect may call
  bool channelz = false;           // serve grpc.channelz.v1.Channelz
  Metrics* metrics;                // outlives the server
};

class Server {
 public:
  // Serves when it returns. INVALID_ARGUMENT for options that the SDK refuses; UNAVAILABLE when the address can't be
  // listened on.
  static absl::StatusOr<std::unique_ptr<Server>> Start(ServerOptions options);

  // As Shutdown with no time.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The port that is listened on.
  int port() const { return listener_->port(); }

  // The key of requests to iGPT from now on; INVALID_ARGUMENT leaves the old one.
  absl::Status SetApiKey(const std::string& key) { return workers_.SetApiKey(key); }

  // For connections from now on. Only where ServerOptions had TLS, and the same about the callers' authorities.
  void UseTls(TlsMaterial material);

  // For calls from now on.
  void UseCallers(const Callers& callers) { workers_.UseCallers(callers); }

  // What health checks say. From any thread.
  Readiness& readiness() { return readiness_; }

  // Whether every loop does something within the limit. From any thread.
  bool Responds(absl::Duration limit);

  // Makes health checks say NOT_SERVING; calls are still served.
  void AnnounceShutdown();

  // Takes no new connections, and drains: see Drain::Run.
  void Shutdown(absl::Duration timeout);

  // Ends what a Shutdown in another thread still waits for, now.
  void EndCalls();

 private:
  explicit Server(ServerOptions options);
  absl::Status Run();
  void BuildGrpcServer();
  void AcceptConnections();
  void AcceptCalls();
  void OnStrain(Strains strains);
  // Adds what is known of the server as a whole.
  void Collect(MetricFamilies& families);
  // Until all is done that gRPC had begun when it was shut down: health watches end then, and need their loop for it.
  void AwaitLastOperations();

  const ServerOptions options_;
  const UserHash user_hash_;
  Admission admission_;
  const EntryRules entry_rules_;
  std::unique_ptr<TlsIdentity> tls_;  // null: plain text
  ApiServices api_services_;
  StandardServices standard_services_;
  Readiness readiness_;
  Workers workers_;
  std::unique_ptr<grpc::ServerCompletionQueue> incoming_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> connector_;  // what gRPC takes connections with
  std::unique_ptr<grpc::Server> server_;
  ConnectionGuard guard_;
  std::unique_ptr<ResourceGuard> resource_guard_;
  Counter connections_opened_;  // these two are the listener's thread's
  Counter connections_closed_;
  std::unique_ptr<Listener> listener_;
  std::thread acceptor_;
  std::unique_ptr<Drain> drain_;  // null: not started
  bool shut_down_ = false;
};

}  // namespace igptd
