// Calls of methods and services that igptd doesn't have: they end with UNKNOWN_METHOD. gRPC by itself would end them
// with a status that says nothing.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/support/byte_buffer.h"
#include "service/rpc/bidi_call.h"
#include "service/rpc/method.h"

namespace igptd {

// On one loop. Must outlive its calls.
//
// Only a few calls are requested ahead, and the next when one of them is handled. So of a flood only those few reach
// the loop; the rest wait in gRPC, where the connection guard sees them.
class UnknownMethods {
 public:
  // `service` must outlive this. Requests the first calls from gRPC.
  UnknownMethods(grpc::AsyncGenericService& service, const rpc::MethodPlace& place);

  // Requests no more calls: the server's completion queue is about to be shut down. Thread-safe.
  void Stop();

 private:
  using Call = rpc::BidiCall<grpc::ByteBuffer, grpc::ByteBuffer>;
  static void Refuse(Call& call);
  void RequestNext();

  const rpc::Method<Call> method_;
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace igptd
