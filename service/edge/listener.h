// The sockets that callers connect to.
//
// igptd accepts connections itself and hands them to gRPC, for two reasons. gRPC's own listener stops for good once the
// process has run out of file descriptors; this one continues when there are some again. And a connection that was
// accepted here can be corked (CallerConnection). So it is also the place where connections are refused: Networks
// decides.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "igpt/unstable/event_loop.h"
#include "service/edge/caller_connection.h"
#include "service/edge/networks.h"
#include "service/observe/metric_values.h"

namespace igptd {

// How many connections an address may have, also if there are file descriptors for more.
inline constexpr size_t kMaxConnectionsPerAddress = 2'000;

class Listener {
 public:
  // Called on the listener's thread.
  struct Events {
    // `fd`: the connection, which the receiver owns from now on. `listening_fd`: the socket that accepted it.
    std::function<void(int fd, int listening_fd)> accepted;
    std::function<void(std::shared_ptr<CallerConnection>)> opened;  // precedes the connection's `accepted`
    std::function<void(std::shared_ptr<CallerConnection>)> closed;
  };

  // Listens on all addresses of `address`, a host:port; port 0 picks a free port. Connections wait until Start. Returns
  // UNAVAILABLE if it can't listen.
  static absl::StatusOr<std::unique_ptr<Listener>> Listen(const std::string& address);

  // Stops, and forgets all connections without calling `closed`.
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int port() const { return port_; }

  // Starts accepting. Call it once.
  void Start(Events events);

  // How many connections were closed at once, because their address has to wait or has too many. Thread-safe.
  int64_t refused_waiting() const { return refused_waiting_.value(); }
  int64_t refused_too_many() const { return refused_too_many_.value(); }
  // How many connections were cut off. Thread-safe.
  int64_t cut_off() const { return cut_off_.value(); }

  // Stops accepting: once it returns, new connections are refused. Open connections are still watched.
  void Stop();

 private:
  using Watch = igpt::unstable::EventLoop::Watch;
  struct Open {
    Open(std::shared_ptr<CallerConnection> its_connection, igpt::unstable::EventLoop& loop,
         absl::AnyInvocable<void()> on_end);
    std::shared_ptr<CallerConnection> connection;
    Watch watch;  // for its end
  };

  explicit Listener(std::unique_ptr<igpt::unstable::EventLoop> loop);
  // Returns once the loop has run the function.
  void RunOnLoop(const std::function<void()>& function);
  void CloseListening();
  void Accept(int listening_fd);
  bool IsWelcome(const std::string& peer);
  void OnEnd(int fd);
  void ResumeAccepting();
  void PauseAccepting();

  Events events_;
  int port_ = 0;
  Counter refused_waiting_;
  Counter refused_too_many_;
  Counter cut_off_;

  // On the loop's thread only.
  Networks networks_;
  std::vector<int> listening_fds_;
  std::vector<std::unique_ptr<Watch>> accepting_;                // of the listening sockets; empty: paused, or stopped
  std::unique_ptr<igpt::unstable::EventLoop::Timer> resume_;     // after a pause
  absl::flat_hash_map<int, std::unique_ptr<Open>> connections_;  // by descriptor

  std::unique_ptr<igpt::unstable::EventLoop> loop_;  // last: its thread uses the members above
};

}  // namespace igptd
