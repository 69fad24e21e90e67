// What gRPC's queues put in order, told to ThreadSanitizer: Debian's gRPC isn't instrumented, so it doesn't see that
// who takes a tag from a queue comes after whoever gave it to gRPC. Nothing in other builds.
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
