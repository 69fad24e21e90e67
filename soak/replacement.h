// The igptds of a soak: two of them behind haproxy, which are replaced in turn while they are called; or one alone. And
// the key file that they follow.
#pragma once

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "soak/history.h"
#include "soak/upstream.h"
#include "tests/support/igptd_process.h"
#include "tests/support/subprocess.h"
#include "tests/support/unique_fd.h"

namespace igpt::soak {

// Used by one thread.
class Replacement {
 public:
  // `directory` is for the key file and haproxy's configuration.
  Replacement(std::string directory, Upstream& upstream, Recorder& recorder);
  ~Replacement();

  // Serves when it returns OK.
  absl::Status Start(bool behind_haproxy);
  // Where to call them.
  const std::string& target() const { return target_; }

  // From then on keys change, connections to the upstream are refused now and then, and behind haproxy igptds are
  // replaced.
  void Begin();
  // Ends that, then the igptds, and takes their logs.
  void Stop();

  int replaced() const { return replaced_; }
  int keys() const { return keys_; }

 private:
  struct Server {
    std::string name;
    int port = 0;
    testing::UniqueFd holder;  // keeps the port while nobody listens there
    std::unique_ptr<testing::IgptdProcess> process;
  };

  absl::Status StartServer(Server& server);
  void StopServer(Server& server);
  absl::Status StartHaproxy();
  // Until haproxy has said `state` ("UP", "DOWN") of the server once more than `before` times.
  void AwaitState(const Server& server, const std::string& state, size_t before) const;
  size_t TimesSaid(const Server& server, const std::string& state) const;
  void ReplaceServers();
  void DisturbUpstream();
  void ChangeKey();
  // False when it is over.
  bool Pause(absl::Duration duration);

  const std::string directory_;
  Upstream& upstream_;
  Recorder& recorder_;
  std::array<Server, 2> servers_;
  std::unique_ptr<testing::Subprocess> haproxy_;
  std::string target_;
  int replaced_ = 0;
  int keys_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread replacer_;
  std::thread disturber_;
};

}  // namespace igpt::soak
