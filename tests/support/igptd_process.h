// A real igptd for tests that need the whole program: its flags, signals, logs and exit codes.
//
// The binary is the one that the environment variable IGPTD_BINARY names, otherwise that of this build. It gets this
// process's environment without the variables that configure igptd, plus `environment` ("NAME=value").
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "igpt/testing/event.h"
#include "tests/support/subprocess.h"

namespace igpt::testing {

// Not thread-safe. The destructor kills an igptd that is still running.
class IgptdProcess {
 public:
  struct Result {
    std::optional<int> exit_code;  // nullopt: it did not end within kWaitLimit and was killed
    std::string out;               // stdout
    std::string err;               // stderr
  };

  // Runs igptd with exactly these flags until it exits, by default on free ports of 127.0.0.1 only.
  static Result Run(const std::vector<std::string>& flags, const std::vector<std::string>& environment = {});

  // Starts igptd and waits until it listens, by default on free ports of 127.0.0.1 only. If it ends before it listens,
  // or doesn't listen within kWaitLimit, returns an error with its stderr.
  static absl::StatusOr<std::unique_ptr<IgptdProcess>> Start(const std::vector<std::string>& flags,
                                                             const std::vector<std::string>& environment = {});

  // Where it serves gRPC, for example "127.0.0.1:40123".
  const std::string& address() const { return address_; }

  // The addresses of the admin port and of the probe port, from its JSON log at level info; empty if there is none.
  std::string admin_address() const { return LoggedAddress("admin_port"); }
  std::string probe_address() const { return LoggedAddress("probe_port"); }

  pid_t pid() const { return process_.pid(); }

  // What it has written so far; AwaitStderr waits for a text in its log.
  std::string Stdout() const { return process_.Stdout(); }
  std::string Stderr() const { return process_.Stderr(); }
  [[nodiscard]] bool AwaitStderr(std::string_view text, absl::Duration limit = kWaitLimit) const {
    return process_.AwaitStderr(text, limit);
  }

  void ReadStderrSlowly(int64_t bytes_per_second) { process_.ReadStderrSlowly(bytes_per_second); }

  // Sends it a signal.
  void Signal(int signal) { process_.Signal(signal); }
  // Its exit code, or 128 + the number of the signal that ended it; nullopt if `limit` passes first.
  std::optional<int> AwaitExit(absl::Duration limit = kWaitLimit) { return process_.AwaitExit(limit); }

 private:
  // A new directory, removed by the destructor.
  struct TemporaryDirectory {
    TemporaryDirectory();
    ~TemporaryDirectory();
    std::string path;
  };

  IgptdProcess(const std::vector<std::string>& flags, const std::vector<std::string>& environment);
  std::string LoggedAddress(const std::string& field) const;

  const TemporaryDirectory directory_;
  const std::string port_file_;
  Subprocess process_;
  std::string address_;
};

}  // namespace igpt::testing
