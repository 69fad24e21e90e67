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

// How many calls a connection may have open. HTTP/2 tells clients, and theirs wait for their turn. A burst of that many
// takes 20 KB each, and some 0.1 s of a core, before igptd has looked at all of them.
inline constexpr int kMaxOpenStreams = 4'000;

// How many offences a connection may be ahead of those that are forgotten, kForgottenOffencesPerSecond.
inline constexpr int kMaxOffences = 300;
inline constexpr int kForgottenOffencesPerSecond = 100;

// Thread-safe.
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

  // gRPC makes a system call, and TCP a packet, for each write of each call. A corked connection collects the writes:
  // data leaves when the connection is uncorked, or as soon as it fills a packet. Returns whether it was not corked
  // before. If so, the caller must uncork it soon.
  bool Cork();
  void Uncork();

  // What its calls are at. Each counter goes up and down with a call.
  struct Calls {
    std::atomic<int64_t> open = 0;       // all
    std::atomic<int64_t> waiting = 0;    // for their loop
    std::atomic<int64_t> arriving = 0;   // their request is not whole yet
    std::atomic<int64_t> receiving = 0;  // of those, the ones whose request may be over the window of a stream
  };
  Calls& calls() { return calls_; }
  const Calls& calls() const { return calls_; }

  // A call of somebody in the callers file came on it.
  void BecomeKnown() { known_ = true; }
  bool known() const { return known_; }

  // Notes that this many of the received bytes belong to a call that igptd was given.
  void Claim(size_t bytes) { claimed_ += static_cast<int64_t>(bytes); }
  // The bytes that were claimed since the last TakeClaimed.
  int64_t TakeClaimed() { return claimed_.exchange(0); }

  // Its caller did what nobody should do often: it reset a call before igptd could look at it, or called what it may
  // not or what isn't there. Cuts the connection off if there are too many.
  void Offend();
  void ForgetOffences(int count);

  // Closes the connection and discards what was received but not read. To gRPC it looks as if the caller had gone.
  void End();

  // The same, because of what its caller did, in words for the log. Only the first reason counts.
  void CutOff(const char* why);
  // Null: it was not cut off.
  const char* why_cut_off() const { return why_cut_off_; }

 private:
  const int fd_;
  const std::string peer_;
  std::atomic<bool> corked_ = false;
  std::atomic<bool> known_ = false;
  std::atomic<int> offences_ = 0;
  std::atomic<int64_t> claimed_ = 0;
  std::atomic<const char*> why_cut_off_ = nullptr;
  Calls calls_;
};

// What ServerContext::peer returns for calls on a connection from `address`; empty for address families other than IPv4
// and IPv6.
std::string PeerName(const sockaddr_storage& address);

// Such a name without the port, which is the same for all connections from one address.
std::string_view HostOf(std::string_view peer);

// The address that such a host has in it, without the scope of an IPv6 address.
std::string_view AddressOf(std::string_view host);

// What stands for one caller where nothing but its address tells callers apart: an IPv4 address, or the first 64 bits
// of an IPv6 address, since whoever has one such address mostly has all of that network. `host` is HostOf's.
std::string NetworkOf(std::string_view host);

}  // namespace igptd
