// A connection in the event loop: moves bytes between the socket and a protocol, which is its derived class.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bench/load/event.h"
#include "bench/load/transport.h"

namespace igpt::bench {

// The failure under which calls without a status from the server are counted.
inline constexpr std::string_view kConnectionFailed = "connection";

// The observer of one call. `now` is when the bytes were read from the socket.
class Call {
 public:
  virtual ~Call() = default;

  virtual void OnMessage(const Event& event, size_t bytes, int64_t now) = 0;

  // The call has ended; `failure` names why, or is empty. The next call may be started from here.
  virtual void OnDone(std::string_view failure, int64_t now) = 0;

  // The server went away before it accepted the call, which can be sent again on another connection.
  virtual void OnNotTaken() = 0;
};

class Connection {
 public:
  Connection(const Endpoint& endpoint, int epoll);
  virtual ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Starts a call, which the next Flush sends. `call` must live until its end was reported.
  virtual void Start(Call& call) = 0;
  // Whether a call is running.
  virtual bool busy() const = 0;
  // Whether calls can be started.
  virtual bool usable() const { return open_; }

  // Called when epoll reports the socket: reads, then flushes.
  void OnReady();
  void Flush();

 protected:
  // Returns false if the peer doesn't speak the protocol.
  virtual bool Receive(std::string_view bytes, int64_t now) = 0;
  // Appends what is to be sent.
  virtual void Produce(std::string& out) = 0;
  // Ends all calls: nothing will be received or produced any more.
  virtual void FailCalls(int64_t now) = 0;

 private:
  void Close();
  void Watch(int operation, bool output);

  const int epoll_;
  Transport transport_;
  bool open_ = true;
  bool watching_output_ = false;
  std::string unsent_;
};

}  // namespace igpt::bench
