// The services that gRPC servers have beside their own: health, reflection in both versions and, when it is asked for,
// channelz. Their calls live on one loop, as background calls: nobody waits for them at the end.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/server_builder.h"
#include "service/access/entry.h"
#include "service/rpc/loop.h"
#include "service/standard/channelz.h"
#include "service/standard/health.h"
#include "service/standard/reflection.h"

namespace igptd {

// Outlives the server.
class StandardServices {
 public:
  explicit StandardServices(bool with_channelz);

  void Register(grpc::ServerBuilder& builder);

  // Accepts calls, on `loop`, from then on. `own_services`: the full names of igptd's own, which health and reflection
  // list beside these. What is given must outlive this.
  void Start(std::vector<std::string> own_services, absl::Duration stalled_reader_timeout, const Entry& entry,
             rpc::Loop& loop, grpc::ServerCompletionQueue* incoming);

  // What health checks say. From any thread, once started.
  void SetServing(bool serving) { health_->SetServing(serving); }

 private:
  Health::Service health_service_;
  ReflectionService reflection_v1_{"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"};
  ReflectionService reflection_v1alpha_{"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"};
  std::optional<Channelz::Service> channelz_service_;

  rpc::CallEnvironment open_;   // for everyone, unless the callers file says otherwise
  rpc::CallEnvironment known_;  // for callers in the callers file
  std::unique_ptr<Health> health_;
  std::vector<std::unique_ptr<Reflection>> reflections_;
  std::unique_ptr<Channelz> channelz_;  // null: not served
};

}  // namespace igptd
