// igptd's own handle on a caller's connection, for what gRPC's API doesn't offer. gRPC reads and writes the connection.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace igptd {

// gRPC makes a system call, and TCP a packet, for each write of each call. A corked connection collects the writes:
// data leaves when the connection is uncorked, or as soon as it fills a packet. Thread-safe.
class CallerConnection {
 public:
  // Takes ownership of `fd`, a duplicate of gRPC's descriptor: it stays valid for this connection whatever gRPC closes.
  // `peer` is as ServerContext::peer returns it.
  CallerConnection(int fd, std::string peer) : fd_(fd), peer_(std::move(peer)) {}
  ~CallerConnection();
  CallerConnection(const CallerConnection&) = delete;
  CallerConnection& operator=(const CallerConnection&) = delete;

  int fd() const { return fd_; }
  const std::string& peer() const { return peer_; }

  // Returns whether it was not corked before. If so, the caller must uncork it soon.
  bool Cork();
  void Uncork();

  // Notes that this many of the received bytes belong to a call that igptd was given.
  void Claim(size_t bytes) { claimed_ += static_cast<int64_t>(bytes); }
  // The bytes that were claimed since the last TakeClaimed.
  int64_t TakeClaimed() { return claimed_.exchange(0); }

  // Closes the connection and discards what was received but not read. To gRPC it looks as if the caller had gone.
  void End();

 private:
  const int fd_;
  const std::string peer_;
  std::atomic<bool> corked_ = false;
  std::atomic<int64_t> claimed_ = 0;
};

// What ServerContext::peer returns for calls on a connection from `address`; empty for address families other than IPv4
// and IPv6.
std::string PeerName(const sockaddr_storage& address);

// Such a name without the port, which is the same for all connections from one address.
std::string_view HostOf(std::string_view peer);

}  // namespace igptd
