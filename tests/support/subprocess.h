// A child process and its output.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "igpt/testing/event.h"
#include "igpt/testing/internal/unique_fd.h"

namespace igpt::testing {

// Not thread-safe. The destructor kills a child that is still running.
class Subprocess {
 public:
  // `command` is the program's path and its arguments, `environment` "NAME=value" strings. If the program can't be
  // started, it counts as a child that exited with 127.
  Subprocess(const std::vector<std::string>& command, const std::vector<std::string>& environment);
  ~Subprocess();
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  // -1 if the program could not be started.
  pid_t pid() const { return pid_; }

  // Sends a signal, unless the child has exited.
  void Signal(int signal);

  // The exit code, or 128 + the number of the signal that ended it; its output is then complete. nullopt if `limit`
  // passes first.
  std::optional<int> AwaitExit(absl::Duration limit = kWaitLimit);

  // From now on, stderr is read no faster than this, as by a slow collector of logs. Infinite at the start.
  void ReadStderrSlowly(int64_t bytes_per_second) { stderr_rate_ = bytes_per_second; }

  // What it has written so far.
  std::string Stdout() const;
  std::string Stderr() const;

  // Waits until the child has written `text` to stderr; false if it ends or `limit` passes first.
  [[nodiscard]] bool AwaitStderr(std::string_view text, absl::Duration limit = kWaitLimit) const;

 private:
  struct Output {
    UniqueFd pipe;
    std::string text;  // guarded by mutex_
  };

  void ReadOutputs();

  pid_t pid_ = -1;
  UniqueFd pidfd_;
  std::optional<int> exit_code_;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Output stdout_;
  Output stderr_;
  std::atomic<int64_t> stderr_rate_ = 0;  // bytes per second; 0: any
  bool ended_ = false;                    // guarded by mutex_; no more output will come
  std::thread reader_;
};

}  // namespace igpt::testing
