// The igptds of a soak: two behind haproxy, replaced in turn while they are called, or a single one. Also the key file
// that they follow.
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

  // From now on keys change, connections to the upstream are refused at times, and igptds behind haproxy are replaced.
  void Begin();
  // Ends that, stops the igptds, and collects their logs.
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
  // Waits until haproxy has reported `state` ("UP", "DOWN") for the server more than `before` times.
  void AwaitState(const Server& server, const std::string& state, size_t before) const;
  size_t TimesSaid(const Server& server, const std::string& state) const;
  void ReplaceServers();
  void DisturbUpstream();
  void ChangeKey();
  // Returns false if the soak has ended.
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
