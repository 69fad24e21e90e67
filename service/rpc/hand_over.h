// Tells ThreadSanitizer about the ordering that gRPC's queues provide. Debian's gRPC isn't instrumented, so
// ThreadSanitizer doesn't see that taking a tag from a queue happens after giving it to gRPC. Does nothing in other
// builds.
#pragma once

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace igptd::rpc {

inline void GivenToGrpc([[maybe_unused]] void* tag) {
#if defined(__SANITIZE_THREAD__)
  __tsan_release(tag);
#endif
}

inline void TakenFromGrpc([[maybe_unused]] void* tag) {
#if defined(__SANITIZE_THREAD__)
  __tsan_acquire(tag);
#endif
}

}  // namespace igptd::rpc
