#include "service/standard/probe.h"

#include <grpc/grpc.h>
#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "service/config/config.h"
#include "service/observe/library_logs.h"
#include "service/system/files.h"
#include "service/system/host_port.h"
#include "service/system/library_versions.h"

namespace igptd {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

constexpr int kExitNotServing = 1;
constexpr int kExitUsage = 2;

constexpr absl::Duration kMinTimeout = absl::Milliseconds(1);

std::vector<Flag> ProbeFlags(HealthProbe& probe) {
  return {
      {"address", "where igptd serves gRPC", Address(probe.address)},
      {"service", "the service to ask for by its full name, in place of the whole", Text(probe.service, "NAME")},
      {"timeout", "how long the answer may take", Duration(probe.timeout, kMinTimeout)},
      {"tls_cert_file", "ask over TLS, and show this certificate (PEM) when asked", Text(probe.tls_cert_file, "PATH")},
      {"tls_key_file", "its private key (PEM)", Text(probe.tls_key_file, "PATH")},
      {"help", "print this and exit", Boolean(probe.help)},
  };
}

// Defaults from the environment variables of the igptd beside it.
HealthProbe DefaultProbe(const Environment& environment) {
  const auto variable = [&environment](const char* name, const std::string& fallback) {
    const auto found = environment.find(name);
    return found == environment.end() ? fallback : found->second;
  };
  HealthProbe probe;
  probe.address = ReachableAddress(variable("IGPTD_LISTEN", Config().listen));
  probe.tls_cert_file = variable("IGPTD_TLS_CERT_FILE", "");
  probe.tls_key_file = variable("IGPTD_TLS_KEY_FILE", "");
  return probe;
}

std::string ProbeHelp(HealthProbe& defaults) {
  return absl::StrCat("igptd health asks an igptd whether it serves, by grpc.health.v1 over a new connection.\n\n",
                      "Usage: igptd health [--name=value]...\n\n", FlagsHelp(ProbeFlags(defaults)),
                      "\n"
                      "The variables IGPTD_LISTEN, IGPTD_TLS_CERT_FILE and IGPTD_TLS_KEY_FILE, where igptd is started "
                      "with them, are the\n"
                      "defaults. Exit codes: 0 it serves, 1 it does not, 2 wrong usage.\n");
}

absl::StatusOr<std::string> ReadFlagFile(const std::string& flag, const std::string& path, absl::Duration limit) {
  absl::StatusOr<std::string> text = FileRead(path).Await(limit);
  if (text.ok()) return text;
  return absl::InvalidArgumentError(absl::StrCat("--", flag, ": ", text.status().message()));
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> Credentials(const HealthProbe& probe) {
  if (probe.tls_cert_file.empty()) return grpc::InsecureChannelCredentials();
  absl::StatusOr<std::string> certificate = ReadFlagFile("tls_cert_file", probe.tls_cert_file, probe.timeout);
  if (!certificate.ok()) return certificate.status();
  absl::StatusOr<std::string> key = ReadFlagFile("tls_key_file", probe.tls_key_file, probe.timeout);
  if (!key.ok()) return key.status();
  grpc::experimental::TlsChannelCredentialsOptions options;
#if IGPTD_GRPC_RELOADS_CERTIFICATES
  const auto provider = std::make_shared<grpc::experimental::InMemoryCertificateProvider>();
  if (absl::Status used = provider->UpdateIdentityKeyCertPair(
          std::vector<grpc::experimental::IdentityKeyOrSignerCertPair>{{*std::move(key), *std::move(certificate)}});
      !used.ok()) {
    return used;
  }
  options.set_identity_certificate_provider(provider);
#else
  options.set_certificate_provider(std::make_shared<grpc::experimental::StaticDataCertificateProvider>(
      std::vector<grpc::experimental::IdentityKeyCertPair>{{*std::move(key), *std::move(certificate)}}));
  options.watch_identity_key_cert_pairs();
#endif
  options.set_verify_server_certs(false);
  options.set_certificate_verifier(std::make_shared<grpc::experimental::NoOpCertificateVerifier>());
  options.set_check_call_host(false);
  return grpc::experimental::TlsCredentials(options);
}

absl::Status NotServing(const HealthProbe& probe, const std::string& why) {
  return absl::UnavailableError(
      absl::StrCat(probe.address, probe.service.empty() ? "" : ", ", probe.service, ": ", why));
}

}  // namespace

absl::StatusOr<HealthProbe> ParseHealthProbe(const std::vector<std::string>& args, const Environment& environment) {
  HealthProbe probe = DefaultProbe(environment);
  std::vector<Flag> flags = ProbeFlags(probe);
  std::vector<std::string> problems = ParseFlags(args, /*environment=*/{}, flags);
  if (probe.help) return probe;
  Config igptd;  // the variables are those of the igptd beside it
  for (std::string& unknown : UnknownVariables(environment, Flags(igptd))) problems.push_back(std::move(unknown));
  if (problems.empty() && absl::EndsWith(probe.address, ":0")) {
    problems.emplace_back("--address: port 0 means any free port; name the port that igptd serves on");
  }
  if (problems.empty() && probe.tls_cert_file.empty() != probe.tls_key_file.empty()) {
    problems.emplace_back("--tls_cert_file and --tls_key_file: set both or neither");
  }
  if (!problems.empty()) return absl::InvalidArgumentError(absl::StrJoin(problems, "; "));
  return probe;
}

absl::Status CheckHealth(const HealthProbe& probe) {
  const absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> credentials = Credentials(probe);
  if (!credentials.ok()) return credentials.status();
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // variables such as http_proxy are not for the way to igptd
  const auto stub =
      grpc::health::v1::Health::NewStub(grpc::CreateCustomChannel(probe.address, *credentials, arguments));
  grpc::ClientContext context;
  context.set_deadline(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                    gpr_time_from_millis(absl::ToInt64Milliseconds(probe.timeout), GPR_TIMESPAN)));
  HealthCheckRequest request;
  request.set_service(probe.service);
  HealthCheckResponse response;
  const grpc::Status status = stub->Check(&context, request, &response);
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return NotServing(probe, absl::StrCat("no answer within ", absl::FormatDuration(probe.timeout)));
  }
  if (!status.ok()) return NotServing(probe, status.error_message());
  if (response.status() == HealthCheckResponse::SERVING) return absl::OkStatus();
  return NotServing(probe, HealthCheckResponse::ServingStatus_Name(response.status()));
}

int RunHealthProbe(const std::vector<std::string>& args, const Environment& environment) {
  const auto fail = [](const absl::Status& status, int exit_code) {
    std::fprintf(stderr, "igptd health: %s\n", std::string(status.message()).c_str());
    return exit_code;
  };
  const absl::StatusOr<HealthProbe> probe = ParseHealthProbe(args, environment);
  if (!probe.ok()) return fail(probe.status(), kExitUsage);
  if (probe->help) {
    HealthProbe defaults = DefaultProbe(environment);
    std::fputs(ProbeHelp(defaults).c_str(), stdout);
    return EXIT_SUCCESS;
  }
  DropLibraryLogs();  // the line that fail() prints says it all
  grpc_init();        // never shut down, as in main: a probe must not wait for that
  if (const absl::Status health = CheckHealth(*probe); !health.ok()) return fail(health, kExitNotServing);
  std::puts("serving");
  return EXIT_SUCCESS;
}

}  // namespace igptd
