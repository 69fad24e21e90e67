// igptd: the iGPT API over gRPC. This file reads the command line; serve.h does the rest.

#include <grpc/grpc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "igpt/version.h"
#include "service/access/callers.h"
#include "service/config/config.h"
#include "service/config/config_files.h"
#include "service/observe/library_logs.h"
#include "service/serve.h"
#include "service/standard/probe.h"
#include "service/system/process.h"

namespace igptd {
namespace {

// The configuration is bad, or an address or file can't be used.
constexpr int kExitConfiguration = 2;

int Fail(const absl::Status& status) {
  const std::string message(status.message());
  std::fprintf(stderr, "igptd: %s\n", message.c_str());
  return kExitConfiguration;
}

// `igptd hash-token`: makes an entry for the callers file from the token on stdin, because every user of the machine
// can read a command line.
int HashTokenCommand() {
  if (isatty(STDIN_FILENO) != 0) std::fputs("Enter the token: ", stderr);
  std::string token;
  std::getline(std::cin, token);
  if (token.ends_with('\r')) token.pop_back();
  const absl::StatusOr<std::string> entry = MakeCallerEntry(token, absl::Now());
  if (!entry.ok()) return Fail(entry.status());
  std::puts(entry->c_str());
  return EXIT_SUCCESS;
}

// Of two variables with one name the first counts, as for getenv(3).
Environment ReadEnvironment() {
  Environment environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    const size_t equals = std::min(text.find('='), text.size());
    environment.emplace(text.substr(0, equals), equals < text.size() ? text.substr(equals + 1) : "");
  }
  return environment;
}

// Finds what would keep Serve from starting.
int Check(const Config& config) {
  if (absl::StatusOr<ConfigFiles> files = ReadConfigFiles(config); !files.ok()) return Fail(files.status());
  for (const std::string& warning : config.warnings) std::fprintf(stderr, "igptd: %s\n", warning.c_str());
  std::puts("igptd: the configuration is good");
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace igptd

int main(int argc, char** argv) {
  igptd::KeepSecrets();
  const igptd::Signals signals;
  const std::vector<std::string> args(argv + 1, argv + argc);
  const igptd::Environment environment = igptd::ReadEnvironment();
  if (!args.empty() && args.front() == "health") {
    return igptd::RunHealthProbe({args.begin() + 1, args.end()}, environment);
  }
  if (args == std::vector<std::string>{"hash-token"}) return igptd::HashTokenCommand();
  absl::StatusOr<igptd::Config> config = igptd::ParseConfig(args, environment);
  if (!config.ok()) return igptd::Fail(config.status());
  if (config->help) {
    std::fputs(igptd::HelpText().c_str(), stdout);
    return EXIT_SUCCESS;
  }
  if (config->version) {
    std::printf("igptd %s\n", igpt::kVersion);
    return EXIT_SUCCESS;
  }
  igptd::AllowCoreDumps(config->allow_core_dumps);
  if (config->check_config) return igptd::Check(*config);
  igptd::RaiseDescriptorLimit();
  igptd::TakeLibraryLogs();
  // Debian builds Abseil with deadlock detection, a debugging aid that would run at every lock that gRPC takes.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // Never shut down: that waits up to 10 s for a gRPC thread that polls a socket which was full a moment ago.
  grpc_init();
  const absl::Status served = igptd::Serve(*config, signals);
  return served.ok() ? EXIT_SUCCESS : igptd::Fail(served);
}
