// A caller's connection, beside gRPC, which reads and writes it: for what gRPC gives no handle for.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace igptd {

// gRPC makes a system call, and TCP a packet, of every write of every call. A corked connection collects them: what is
// written leaves when it is uncorked, or as soon as it fills a packet. Thread-safe.
class CallerConnection {
 public:
  // Takes over `fd`, a duplicate of the descriptor that gRPC has: so it stays that of this connection, whatever gRPC
  // closes. `peer` as ServerContext::peer gives it.
  CallerConnection(int fd, std::string peer) : fd_(fd), peer_(std::move(peer)) {}
  ~CallerConnection();
  CallerConnection(const CallerConnection&) = delete;
  CallerConnection& operator=(const CallerConnection&) = delete;

  int fd() const { return fd_; }
  const std::string& peer() const { return peer_; }

  // Returns whether it was not corked already: whoever is told so has to uncork it, soon.
  bool Cork();
  void Uncork();

  // Says that so many bytes of what came are part of a call that igptd has.
  void Claim(size_t bytes) { claimed_ += static_cast<int64_t>(bytes); }
  // What was claimed since this was last asked.
  int64_t TakeClaimed() { return claimed_.exchange(0); }

  // Ends the connection, with what it sent and nobody has read. gRPC notices as if the caller had gone.
  void End();

 private:
  const int fd_;
  const std::string peer_;
  std::atomic<bool> corked_ = false;
  std::atomic<int64_t> claimed_ = 0;
};

// What ServerContext::peer says of calls on a connection from `address`; empty for families other than IPv4 and IPv6.
std::string PeerName(const sockaddr_storage& address);

// The part of such a name that is the same for all connections from one address: without the port.
std::string_view HostOf(std::string_view peer);

}  // namespace igptd
