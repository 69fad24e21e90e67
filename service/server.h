// igptd's gRPC server: its loops, the services on them, its callers' connections, and its shutdown.
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
#include "service/edge/connections.h"
#include "service/edge/listener.h"
#include "service/edge/tls_credentials.h"
#include "service/limits/admission.h"
#include "service/limits/resource_guard.h"
#include "service/observe/metrics.h"
#include "service/readiness.h"
#include "service/rpc/acceptor.h"
#include "service/standard/standard_services.h"
#include "service/workers.h"

namespace igptd {

struct ServerOptions {
  std::string listen;  // host:port; port 0 picks a free port
  igpt::Options client;
  CallSettings calls;
  AdmissionOptions admission = {};
  std::optional<TlsMaterial> tls;  // valid; nullopt: plain text
  std::optional<Callers> callers;  // nullopt: anyone who can connect may call
  std::string user_hash_key = {};  // keys the hashes of users in the log; empty: client.api_key does, as it is now
  Metrics* metrics;                // must outlive the server
};

class Server {
 public:
  // The server is serving when it returns. Returns INVALID_ARGUMENT for options that the SDK rejects, and UNAVAILABLE
  // if it can't listen on the address.
  static absl::StatusOr<std::unique_ptr<Server>> Start(ServerOptions options);

  // Shuts down with a timeout of 0.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The port that it listens on.
  int port() const { return listener_->port(); }

  // Sets the key for new requests to iGPT. On INVALID_ARGUMENT the old key stays in use.
  absl::Status SetApiKey(const std::string& key) { return workers_.SetApiKey(key); }

  // Applies to new connections to iGPT. On INVALID_ARGUMENT the old ones stay in use.
  absl::Status UseIgptAuthorities(const std::string& pem) { return workers_.UseIgptAuthorities(pem); }

  // Applies to new connections. ServerOptions must have had TLS, and authorities for callers' certificates if and only
  // if `material` has them.
  void UseTls(TlsMaterial material);

  // Applies to new calls.
  void UseCallers(const Callers& callers) { workers_.UseCallers(callers); }

  // What health checks report. Thread-safe.
  Readiness& readiness() { return readiness_; }

  // Whether every loop runs a function within `limit`. Thread-safe.
  bool Responds(absl::Duration limit);

  // Makes health checks report NOT_SERVING; calls are still served.
  void AnnounceShutdown();

  // Stops accepting connections, then drains: see Drain::Run.
  void Shutdown(absl::Duration timeout);

  // Ends the calls that a Shutdown in another thread still waits for, now.
  void EndCalls();

 private:
  explicit Server(ServerOptions options);
  absl::Status Run();
  void BuildGrpcServer();
  void AcceptConnections();
  void OnStrain(Strains strains);
  // Adds the metrics of the server as a whole.
  void Collect(MetricFamilies& families);
  // Waits for the operations that were pending when gRPC's server was shut down: health watches end then, on their
  // loop.
  void AwaitLastOperations();

  const ServerOptions options_;
  const UserHash user_hash_;
  Admission admission_;
  Admission late_requests_{kRequestsOnTheirWay};
  StandardRooms standard_rooms_;
  const EntryRules entry_rules_;
  std::unique_ptr<TlsIdentity> tls_;  // null: plain text
  grpc::AsyncGenericService calls_;
  Connections connections_;
  Workers workers_;
  Readiness readiness_;
  std::unique_ptr<rpc::Acceptor> acceptor_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> connector_;  // hands connections to gRPC
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<ResourceGuard> resource_guard_;
  Counter connections_opened_;  // both are incremented by the listener's thread
  Counter connections_closed_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<ConnectionGuard> guard_;
  std::unique_ptr<Drain> drain_;  // null: not started
  bool shut_down_ = false;
};

}  // namespace igptd
