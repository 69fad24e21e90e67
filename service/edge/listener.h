// The sockets that callers connect to.
//
// igptd accepts connections itself and hands them to gRPC, for two reasons. gRPC's own listener stops for good once the
// process has run out of file descriptors; this one continues when there are some again. And a connection that was
// accepted here can be corked (CallerConnection).
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "service/edge/caller_connection.h"

namespace igptd {

class Listener {
 public:
  // Called on the listener's thread. If there is no second file descriptor for a connection, it is accepted without
  // `opened` and `closed`.
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

  // Stops accepting: once it returns, new connections are refused. Open connections are still watched.
  void Stop();

 private:
  enum class State { kAccepting, kStopping, kEnding };

  Listener() = default;
  void Wake(State state);
  void Run();
  void Accept(int listening_fd);
  void PauseAccepting();
  void ResumeAccepting();
  void CloseListening();

  Events events_;
  std::vector<int> listening_fds_;
  int port_ = 0;
  int epoll_fd_ = -1;
  int wake_fd_ = -1;                               // an eventfd: readable when state_ has changed
  absl::Time resume_at_ = absl::InfiniteFuture();  // paused until then, because file descriptors ran out
  absl::flat_hash_map<int, std::shared_ptr<CallerConnection>> connections_;  // the open ones, by descriptor
  std::atomic<State> state_ = State::kAccepting;
  absl::Notification stopped_;
  std::thread thread_;
};

}  // namespace igptd
