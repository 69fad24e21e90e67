// `igptd health`: asks an igptd whether it is serving, for probes in images without a shell or another client.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "service/config/flags.h"

namespace igptd {

struct HealthProbe {
  std::string address;  // host:port
  std::string service;  // full name; empty: the whole server
  absl::Duration timeout = absl::Seconds(2);
  // If set, ask over TLS, and present this certificate if igptd requires one.
  std::string tls_cert_file;
  std::string tls_key_file;
  bool help = false;
};

// Reads the command line (without "igptd health"). Address and certificate default to those of an igptd that was
// started with the same environment variables. Returns INVALID_ARGUMENT with every problem
// in one line, also for a variable IGPTD_... that igptd doesn't have.
absl::StatusOr<HealthProbe> ParseHealthProbe(const std::vector<std::string>& args, const Environment& environment);

// Makes a grpc.health.v1 check over a new connection. Returns OK if the answer is SERVING; otherwise the message says
// why not, in one line. Doesn't verify the server, since it sends nothing worth stealing.
absl::Status CheckHealth(const HealthProbe& probe);

// Runs `igptd health` and returns its exit code: 0 if igptd is serving, 1 if not, 2 for a bad command line.
int RunHealthProbe(const std::vector<std::string>& args, const Environment& environment);

}  // namespace igptd
