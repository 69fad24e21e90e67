#include "tests/support/igptd_process.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "igpt/monotonic_time.h"

namespace igpt::testing {
namespace {

// How often to check for the port file.
constexpr absl::Duration kPortFileInterval = absl::Milliseconds(10);

// Free ports of this machine alone, so that tests can run in parallel and need no callers file. Variables, so that a
// test's own flags and variables win.
constexpr char kListen[] = "IGPTD_LISTEN=127.0.0.1:0";
constexpr char kAdminListen[] = "IGPTD_ADMIN_LISTEN=127.0.0.1:0";

std::vector<std::string> Command(const std::vector<std::string>& flags) {
  const char* binary = std::getenv("IGPTD_BINARY");
#ifdef IGPTD_BINARY
  if (binary == nullptr) binary = IGPTD_BINARY;
#endif
  std::vector<std::string> command = {binary == nullptr ? "IGPTD_BINARY is not set" : binary};
  command.insert(command.end(), flags.begin(), flags.end());
  return command;
}

// `more` comes first, because getenv() finds the first of two variables with the same name.
std::vector<std::string> Environment(const std::vector<std::string>& more) {
  std::vector<std::string> environment = more;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const bool configures = absl::StartsWith(*variable, "IGPT") || absl::StartsWith(*variable, "OTEL_");
    if (!configures) environment.emplace_back(*variable);
  }
  return environment;
}

// The port, once igptd has written it.
std::optional<int> ReadPort(const std::string& path) {
  std::ifstream file(path);
  int port = 0;
  if (file >> port) return port;
  return std::nullopt;
}

std::vector<std::string> ServingEnvironment(std::vector<std::string> environment, const std::string& port_file) {
  environment.emplace_back(kListen);
  environment.emplace_back(kAdminListen);
  environment.push_back("IGPTD_PORT_FILE=" + port_file);
  return environment;
}

}  // namespace

IgptdProcess::Result IgptdProcess::Run(const std::vector<std::string>& flags,
                                       const std::vector<std::string>& environment) {
  std::vector<std::string> variables = environment;
  variables.emplace_back(kListen);
  variables.emplace_back(kAdminListen);
  Subprocess process(Command(flags), Environment(variables));
  const std::optional<int> exit_code = process.AwaitExit();
  return {exit_code, process.Stdout(), process.Stderr()};
}

absl::StatusOr<std::unique_ptr<IgptdProcess>> IgptdProcess::Start(const std::vector<std::string>& flags,
                                                                  const std::vector<std::string>& environment) {
  std::unique_ptr<IgptdProcess> igptd(new IgptdProcess(flags, environment));
  for (const MonotonicTime deadline = MonotonicTime::Now() + kWaitLimit; MonotonicTime::Now() < deadline;) {
    if (const std::optional<int> port = ReadPort(igptd->port_file_)) {
      igptd->address_ = "127.0.0.1:" + std::to_string(*port);
      return igptd;
    }
    if (igptd->AwaitExit(kPortFileInterval)) return absl::UnavailableError("igptd ended at once: " + igptd->Stderr());
  }
  return absl::DeadlineExceededError("igptd does not listen: " + igptd->Stderr());
}

std::string IgptdProcess::LoggedAddress(const std::string& field) const {
  const std::string port = "\"" + field + "\":";
  if (!AwaitStderr(port)) return "";
  const std::string log = Stderr();
  const size_t begin = log.find(port) + port.size();
  return "127.0.0.1:" + log.substr(begin, log.find_first_of(",}", begin) - begin);
}

IgptdProcess::IgptdProcess(const std::vector<std::string>& flags, const std::vector<std::string>& environment)
    : port_file_(directory_.path + "/port"),
      process_(Command(flags), Environment(ServingEnvironment(environment, port_file_))) {}

IgptdProcess::TemporaryDirectory::TemporaryDirectory() : path(::testing::TempDir() + "igptd-XXXXXX") {
  if (::mkdtemp(path.data()) == nullptr) {
    std::perror("mkdtemp");
    std::abort();
  }
}

IgptdProcess::TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

}  // namespace igpt::testing
