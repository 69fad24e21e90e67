// The igptds of a soak: two behind haproxy, replaced in turn while they are called, or a single one. Also what is
// around them: the key file that they follow, their clock, and the proxy through which the second asks the upstream.
#pragma once

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "igpt/testing/internal/unique_fd.h"
#include "soak/history.h"
#include "soak/upstream.h"
#include "tests/fault/relay.h"
#include "tests/support/igptd_process.h"
#include "tests/support/stepped_clock.h"
#include "tests/support/subprocess.h"

namespace igpt::soak {

// Not thread-safe.
class Replacement {
 public:
  // `directory` is for the key file and haproxy's configuration.
  Replacement(std::string directory, Upstream& upstream, Recorder& recorder);
  ~Replacement();

  // The igptds are serving when it returns OK.
  absl::Status Start(bool behind_haproxy);
  // The address to call.
  const std::string& target() const { return target_; }

  // From now on keys change, the clock is set, connections to the upstream fail at times, and igptds behind haproxy are
  // replaced.
  void Begin();
  // Ends that, stops the igptds, and collects their logs.
  void Stop();

  // Where the igptds listen, one after another or at the same time.
  std::vector<std::string> addresses() const;

  int replaced() const { return replaced_; }
  int keys() const { return keys_; }
  int clock_steps() const { return clock_steps_; }

 private:
  struct Server {
    std::string name;
    std::vector<std::string> way;  // flags: how it reaches the upstream
    int port = 0;
    testing::UniqueFd holder;  // keeps the port while nobody listens there
    std::unique_ptr<testing::IgptdProcess> process;
  };

  absl::Status StartServer(Server& server);
  void StopServer(Server& server);
  absl::Status StartHaproxy();
  // Waits until haproxy has reported `state` ("UP", "DOWN") for the server more than `before` times.
  void AwaitState(const Server& server, const std::string& state, size_t before) const;
  size_t TimesSaid(const Server& server, const std::string& state) const;
  void ReplaceServers();
  void Disturb();
  void ChangeKey();
  void StepClock();
  void BreakConnections();
  // Returns false if the soak has ended.
  bool Pause(absl::Duration duration);

  const std::string directory_;
  Upstream& upstream_;
  Recorder& recorder_;
  const testing::Authority authority_{"soak"};
  testing::Relay proxy_;  // takes itself for the upstream, with TLS
  testing::SteppedClock clock_;
  std::array<Server, 2> servers_;
  std::unique_ptr<testing::Subprocess> haproxy_;
  std::string target_;
  int replaced_ = 0;
  int keys_ = 0;
  int clock_steps_ = 0;
  int outages_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread replacer_;
  std::thread disturber_;
};

}  // namespace igpt::soak
