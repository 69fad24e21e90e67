// The upstream: one loop, on the caller's thread, over a listening socket, its connections and their due times.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <vector>

#include "bench/upstream/connection.h"
#include "bench/upstream/socket.h"
#include "igpt/testing/internal/unique_fd.h"

namespace igpt::bench {

class Server {
 public:
  // Listens on a free port of 127.0.0.1; a failure ends the process with a message. `tls` is null for plain HTTP, and
  // must outlive the server. `stop` ends Run() once it is readable.
  Server(SSL_CTX* tls, testing::UniqueFd stop);

  int port() const;
  void Run();

 private:
  struct Slot {
    std::unique_ptr<Connection> connection;
    uint64_t serial = 0;         // which of the connections that had this descriptor
    bool timed = false;          // it has a timer
    bool awaits_writes = false;  // epoll also watches EPOLLOUT
  };

  // The serial number tells whether it has outlived its connection.
  struct Timer {
    int64_t due;
    int fd;
    uint64_t serial;
    bool operator>(const Timer& other) const { return due > other.due; }
  };

  void Watch(int fd, int operation, uint32_t events);
  // Waits for the descriptors or the next timer, and serves the descriptors that are ready.
  void ServeDescriptors();
  void ServeTimers();
  void Accept();
  // Called after each call to the connection: drops it, or starts waiting for what it needs.
  void Settle(Slot& slot, bool alive);

  SSL_CTX* const tls_;
  testing::UniqueFd stop_;
  testing::UniqueFd epoll_;
  testing::UniqueFd listener_;
  bool stopping_ = false;
  Shared shared_;
  std::vector<Slot> slots_;  // by descriptor
  uint64_t connections_ = 0;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  int64_t timers_served_ = 0;  // when
};

}  // namespace igpt::bench
