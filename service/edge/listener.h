// The sockets that callers connect to.
//
// igptd accepts connections itself and hands them to gRPC. gRPC's own listener stops for good when the process is out
// of file descriptors, this one goes on when there are some again; and a connection that was accepted here can be
// corked (CallerConnection).
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
  // What happens to connections, on the listener's thread. A connection that there was no second descriptor for is
  // accepted all the same, and then unknown here.
  struct Events {
    // `fd`: the connection, the receiver's from now on. `listening_fd`: where it came in.
    std::function<void(int fd, int listening_fd)> accepted;
    std::function<void(std::shared_ptr<CallerConnection>)> opened;  // comes before its `accepted`
    std::function<void(std::shared_ptr<CallerConnection>)> closed;
  };

  // Listens on all addresses of `address`, host:port; port 0 picks one. Connections wait until Start. UNAVAILABLE when
  // it can't be listened on.
  static absl::StatusOr<std::unique_ptr<Listener>> Listen(const std::string& address);

  // Stops, and forgets all connections without a word.
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int port() const { return port_; }

  // Accepts from now on. Called once.
  void Start(Events events);

  // Accepts no more, which is so when it returns: whoever connects is refused. Connections are still watched.
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
  absl::Time resume_at_ = absl::InfiniteFuture();  // paused until then, for want of file descriptors
  absl::flat_hash_map<int, std::shared_ptr<CallerConnection>> connections_;  // those that are open, by descriptor
  std::atomic<State> state_ = State::kAccepting;
  absl::Notification stopped_;
  std::thread thread_;
};

}  // namespace igptd
