// Plays iGPT in a soak: an HTTP/1.1 server on one thread that answers each call by its plan and records what it did.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "igpt/monotonic_time.h"
#include "igpt/testing/internal/unique_fd.h"
#include "soak/history.h"
#include "soak/script.h"

namespace igpt::soak {

// How long the previous key is still accepted.
inline constexpr absl::Duration kKeyGrace = absl::Seconds(5);

class Upstream {
 public:
  // Called on the server's thread, at most once per attempt, at the moment that the call's cancel may wait for: the
  // request has arrived and stays unanswered, a flood is no longer read, or 429 was sent.
  using OnMoment = std::function<void(uint32_t call)>;

  Upstream(uint64_t seed, Recorder& recorder, OnMoment on_moment);
  ~Upstream();

  int port() const { return port_; }

  // Sets the key that requests must have from now on. Thread-safe, like everything below.
  void SetKey(std::string key);
  // Refuses new connections, or accepts them again. Existing ones continue.
  void Refuse(bool refuse);

 private:
  struct Connection;
  struct Key {
    std::string key;
    MonotonicTime until = MonotonicTime::InfiniteFuture();
  };

  void Serve();
  void Listen();
  void Accept();
  void Read(Connection& connection);
  void Begin(Connection& connection, const std::string& head, const std::string& body);
  void Go(Connection& connection);
  // Returns false if the socket accepts no more now, or is gone.
  bool Flush(Connection& connection);
  void Flood(Connection& connection);
  void OnTimer(Connection& connection);
  void EndAttempt(Connection& connection, Attempt::End end);
  void Drop(Connection& connection);
  void SetTimer(Connection& connection, absl::Duration delay);
  void CheckKey(const std::string& authorization);

  const uint64_t seed_;
  Recorder& recorder_;
  const OnMoment on_moment_;
  testing::UniqueFd holder_;  // bound, never listening: keeps the port
  int port_ = 0;
  testing::UniqueFd listener_;
  testing::UniqueFd epoll_;
  testing::UniqueFd wake_;
  std::atomic<bool> refuse_ = false;
  std::atomic<bool> stopping_ = false;

  // Used by the server's thread only.
  std::map<uint64_t, std::unique_ptr<Connection>> connections_;
  std::multimap<MonotonicTime, uint64_t> timers_;
  uint64_t next_connection_ = 1;

  std::mutex keys_mutex_;
  std::vector<Key> keys_;
  std::thread server_;
};

}  // namespace igpt::soak
