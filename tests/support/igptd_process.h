// A real igptd for tests that need the whole program: its flags, signals, logs and exit codes.
//
// The binary is the one that the environment variable IGPTD_BINARY names, else the one of this build. It sees this
// process's environment without the variables that configure igptd, and `environment` ("NAME=value") beside it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/support/event.h"
#include "tests/support/subprocess.h"

namespace igpt::testing {

// Used by one thread. The destructor kills an igptd that still runs.
class IgptdProcess {
 public:
  struct Result {
    std::optional<int> exit_code;  // nullopt: it did not end within kWaitLimit and was killed
    std::string out;               // stdout
    std::string err;               // stderr
  };

  // Runs igptd to its end with exactly these flags.
  static Result Run(const std::vector<std::string>& flags, const std::vector<std::string>& environment = {});

  // Starts igptd and waits until it listens. Unless told otherwise it listens on ports of the system's choice on
  // 127.0.0.1 only. An igptd that ends before it listens, or doesn't within kWaitLimit, is an error that holds its
  // stderr.
  static absl::StatusOr<std::unique_ptr<IgptdProcess>> Start(const std::vector<std::string>& flags,
                                                             const std::vector<std::string>& environment = {});

  // Where it serves gRPC, e.g. "127.0.0.1:40123".
  const std::string& address() const { return address_; }

  // Where it serves metrics and health over HTTP, as its log says at level info, in JSON; empty when it doesn't.
  std::string admin_address() const;

  pid_t pid() const { return process_.pid(); }

  // What it wrote so far, and waiting for something in its log.
  std::string Stdout() const { return process_.Stdout(); }
  std::string Stderr() const { return process_.Stderr(); }
  [[nodiscard]] bool AwaitStderr(std::string_view text, absl::Duration limit = kWaitLimit) const {
    return process_.AwaitStderr(text, limit);
  }

  // Sends it a signal.
  void Signal(int signal) { process_.Signal(signal); }
  // Its exit code, or 128 + the number of the signal that ended it; nullopt when `limit` passed first.
  std::optional<int> AwaitExit(absl::Duration limit = kWaitLimit) { return process_.AwaitExit(limit); }

 private:
  // A new directory that is removed at the end.
  struct TemporaryDirectory {
    TemporaryDirectory();
    ~TemporaryDirectory();
    std::string path;
  };

  IgptdProcess(const std::vector<std::string>& flags, const std::vector<std::string>& environment);

  const TemporaryDirectory directory_;
  const std::string port_file_;
  Subprocess process_;
  std::string address_;
};

}  // namespace igpt::testing
