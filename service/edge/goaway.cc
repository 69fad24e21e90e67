#include "service/edge/goaway.h"

#include <grpc/grpc.h>
#include <grpc/support/time.h>

#include "absl/synchronization/notification.h"
#include "grpcpp/alarm.h"

// grpc_core::Server::SendGoaways(); grpc_server is that class's opaque name. In gRPC 1.51 only the xDS code calls it.
// The public grpc::Server::Shutdown sends GOAWAYs too, but from then on gRPC answers calls that were sent before the
// GOAWAY arrived with CANCELLED. Weak: null if this gRPC lacks or hides the function.
extern "C" __attribute__((weak)) void GrpcServerSendGoaways(grpc_server* server) __asm__(
    "_ZN9grpc_core6Server11SendGoawaysEv");

namespace igptd {

// Runs in a gRPC callback, because the function needs the execution context of gRPC's own threads. The alarm's time has
// come when it is set, so that it doesn't wait for gRPC's timer thread: that waits by the wall clock, and wakes late if
// somebody sets it back.
bool SendGoaways(grpc::Server& server) {
  if (GrpcServerSendGoaways == nullptr) return false;
  absl::Notification sent;
  grpc::Alarm alarm;
  alarm.Set(gpr_inf_past(GPR_CLOCK_MONOTONIC), [&server, &sent](bool /*ok*/) {
    GrpcServerSendGoaways(server.c_server());
    sent.Notify();
  });
  sent.WaitForNotification();
  return true;
}

}  // namespace igptd
