#include "service/edge/goaway.h"

#include <grpc/grpc.h>

#include <chrono>

#include "absl/synchronization/notification.h"
#include "grpcpp/alarm.h"

// grpc_core::Server::SendGoaways(), of which grpc_server is the opaque name. gRPC 1.51 has it, but only its xDS code
// calls it: what is public, grpc::Server::Shutdown, sends GOAWAYs too, but from that moment on gRPC answers with
// CANCELLED what callers sent before they knew. Weak: null where a gRPC doesn't have it, or hides it.
extern "C" __attribute__((weak)) void GrpcServerSendGoaways(grpc_server* server) __asm__(
    "_ZN9grpc_core6Server11SendGoawaysEv");

namespace igptd {

// As a callback of gRPC's, since what it calls needs the execution context that gRPC's own threads have.
bool SendGoaways(grpc::Server& server) {
  if (GrpcServerSendGoaways == nullptr) return false;
  absl::Notification sent;
  grpc::Alarm alarm;
  alarm.Set(std::chrono::system_clock::now(), [&server, &sent](bool /*ok*/) {
    GrpcServerSendGoaways(server.c_server());
    sent.Notify();
  });
  sent.WaitForNotification();
  return true;
}

}  // namespace igptd
