// `igptd health`: asks an igptd whether it serves, for probes where there is no shell and no other client.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "service/config/flags.h"

namespace igptd {

struct HealthProbe {
  std::string address;  // host:port
  std::string service;  // full name; empty: the whole of it
  absl::Duration timeout = absl::Seconds(2);
  // Over TLS where there is a certificate. It is the one to show if igptd wants to see one.
  std::string tls_cert_file;
  std::string tls_key_file;
  bool help = false;
};

// The probe of this command line (without "igptd health"). The address and certificate are those of the igptd that was
// started with the same variables, unless flags say otherwise. INVALID_ARGUMENT with every problem in one line.
absl::StatusOr<HealthProbe> ParseHealthProbe(const std::vector<std::string>& args, GetEnv getenv);

// A grpc.health.v1 check over a new connection. OK when the answer is SERVING; else the message says in one line what
// is the matter. Who answers is not verified: nothing is sent that is worth stealing.
absl::Status CheckHealth(const HealthProbe& probe);

// All of `igptd health`: its exit code is 0 when igptd serves, 1 when not, 2 for a bad command line.
int RunHealthProbe(const std::vector<std::string>& args, GetEnv getenv);

}  // namespace igptd
