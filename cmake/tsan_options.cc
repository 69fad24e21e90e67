// ThreadSanitizer's options in programs that run gRPC. Debian's gRPC, Abseil, protobuf, spdlog and opentelemetry-cpp
// are not instrumented, so ThreadSanitizer doesn't see their locks and reports what they guard as races. Races between
// our own frames are still reported. Programs of the SDK alone don't link this file and have no suppressions.
extern "C" {

// NOLINTNEXTLINE(bugprone-reserved-identifier)
const char* __tsan_default_options() {
  return "ignore_noninstrumented_modules=1";
}

// NOLINTNEXTLINE(bugprone-reserved-identifier)
const char* __tsan_default_suppressions() {
  return "race:libgrpc.so\n"
         "race:libgrpc++.so\n"
         "race:libgpr.so\n"
         "race:libprotobuf.so\n"
         "race:libabsl_\n"
         "race:libspdlog.so\n"
         "race:libopentelemetry_\n"
         "called_from_lib:libgrpc.so\n"
         "called_from_lib:libgrpc++.so\n"
         "called_from_lib:libgpr.so\n";
}

}  // extern "C"
