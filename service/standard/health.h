// grpc.health.v1.Health. gRPC's own implementation brings threads, which would take turns at polling all sockets.
#pragma once

#include <atomic>
#include <coroutine>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "service/rpc/method.h"
#include "service/rpc/stream_call.h"
#include "service/rpc/task.h"
#include "service/rpc/unary_call.h"

namespace igptd {

// On one loop. All services have the status of the whole server, which is SERVING at first. The service "liveness" is
// always SERVING.
class Health {
 public:
  using CheckCall = rpc::UnaryCall<grpc::health::v1::HealthCheckRequest, grpc::health::v1::HealthCheckResponse>;
  using WatchCall = rpc::StreamCall<grpc::health::v1::HealthCheckRequest, grpc::health::v1::HealthCheckResponse>;

  // Adds its methods to `methods`, for calls on `loop`. `services`: their full names; the empty name, which stands for
  // the whole server, is added. The environments, of Check and of Watch, must outlive this.
  Health(const std::vector<std::string>& services, rpc::Loop& loop, const rpc::CallEnvironment& checks,
         const rpc::CallEnvironment& watches, rpc::Methods& methods);

  // Tells watchers too. Thread-safe.
  void SetServing(bool serving);

  // Ends all watches with SHUTTING_DOWN, each once it was told the last status; called again, also those whose callers
  // have not read it. Thread-safe.
  void EndWatches();

 private:
  using Status = grpc::health::v1::HealthCheckResponse::ServingStatus;

  Status StatusOf(const std::string& service) const;
  void Check(CheckCall& call);
  rpc::Task Watch(WatchCall& call);
  // Continues the watch, if it waits. `call` may be gone.
  void Wake(WatchCall* call);
  void WakeAll();

  rpc::Loop& loop_;
  const rpc::Method<CheckCall> check_;
  const rpc::Method<WatchCall> watch_;
  absl::flat_hash_set<std::string> services_;
  // Any thread sets it, so that a check which comes after SetServing sees it. All else is the loop's.
  std::atomic<bool> serving_ = true;
  bool watches_ended_ = false;
  absl::flat_hash_map<WatchCall*, std::coroutine_handle<>> waiting_;  // the watches that wait for a change
  absl::flat_hash_set<WatchCall*> writing_;                           // those that wait for their caller to read
};

}  // namespace igptd
