// gRPC's standard services: health, both versions of reflection and, if it is turned on, channelz; and the end of calls
// of any other service. Their calls live on one loop as background calls: the drain doesn't wait for them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/server_builder.h"
#include "service/access/entry.h"
#include "service/rpc/loop.h"
#include "service/standard/channelz.h"
#include "service/standard/health.h"
#include "service/standard/reflection.h"
#include "service/standard/unknown_methods.h"

namespace igptd {

// Must outlive the server.
class StandardServices {
 public:
  explicit StandardServices(bool with_channelz);

  void Register(grpc::ServerBuilder& builder);

  // Starts accepting calls on `loop`. `own_services`: the full names of igptd's own services, which health and
  // reflection list too; `own`: the environment of their calls. The arguments must outlive this.
  void Start(std::vector<std::string> own_services, const rpc::CallEnvironment& own, const Entry& entry,
             rpc::Loop& loop, grpc::ServerCompletionQueue* incoming);

  // To be called before the server's completion queue is shut down. Thread-safe, after Start.
  void Stop() { unknown_methods_->Stop(); }

  // Sets what health checks report. Thread-safe, after Start.
  void SetServing(bool serving) { health_->SetServing(serving); }

  // Ends health watches: see Health::EndWatches. Thread-safe, after Start.
  void EndWatches() { health_->EndWatches(); }

  // Which of their calls are open. For metrics.
  const Admission& streams() const { return streams_; }
  const Admission& answers() const { return answers_; }

 private:
  Health::Service health_service_;
  ReflectionService reflection_v1_{"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"};
  ReflectionService reflection_v1alpha_{"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"};
  std::optional<Channelz::Service> channelz_service_;
  grpc::AsyncGenericService unknown_service_;

  Admission streams_{kStandardStreams};
  Admission answers_{kStandardAnswers};
  rpc::CallEnvironment open_;          // for everyone who can connect, unless the callers file says otherwise
  rpc::CallEnvironment open_streams_;  // the same for streams
  rpc::CallEnvironment known_;         // for callers in the callers file
  rpc::CallEnvironment unknown_;       // the same for unknown methods, whose calls are logged and counted
  std::unique_ptr<Health> health_;
  std::vector<std::unique_ptr<Reflection>> reflections_;
  std::unique_ptr<Channelz> channelz_;  // null: not served
  std::unique_ptr<UnknownMethods> unknown_methods_;
};

}  // namespace igptd
