// The way to a scripted server, with the faults of a way: TLS that fails in any manner, and an end that dies and comes
// back. Bytes are passed on as they are, both directions, also how each of them ends.
//
//   ScriptedHttpServer server;
//   Authority authority;
//   Relay relay(server.port(), authority.Issue());
//   … relay.url("/v1"), trusting authority.Pem() …
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/certificate.h"
#include "tests/support/event.h"
#include "tests/support/unique_fd.h"

namespace igpt::testing {

// What happens to a new connection.
enum class Greeting {
  kServe,
  kStall,         // nothing is ever said
  kClose,         // FIN once the peer has said something
  kReset,         // RST once the peer has said something
  kGarbage,       // an answer that is no TLS
  kCutHandshake,  // TLS begins, and ends before it is established
};

// Listens on 127.0.0.1 at a port of the system's choice, which it keeps. Thread-safe.
class Relay {
 public:
  // To the server on that port of 127.0.0.1; with TLS when there is an identity. It connects from `source`, an address
  // of this host.
  explicit Relay(int target_port, std::optional<Identity> identity = std::nullopt, Greeting greeting = Greeting::kServe,
                 const char* source = "127.0.0.1");
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  int port() const { return port_; }
  // With the address as host, unless another is given.
  std::string url(std::string_view path, std::string_view host = "127.0.0.1") const;
  int connections() const;

  // For connections from now on.
  void SetIdentity(Identity identity);
  // Breaks what is connected and refuses what comes; from ComeBack on it serves again.
  void Die();
  void ComeBack();

 private:
  // From one ComeBack to the next Die.
  struct Life {
    UniqueFd listener;
    Event over;
    std::thread acceptor;
    std::vector<std::thread> connections;  // used by the acceptor until it ends
  };

  void Accept(Life& life);
  void Serve(int socket, const Event& over);

  const int target_port_;
  const Greeting greeting_;
  const std::string source_;
  int port_ = 0;
  std::unique_ptr<Life> life_;

  mutable std::mutex mutex_;
  std::optional<Identity> identity_;  // guarded, like the next
  int connections_ = 0;
};

}  // namespace igpt::testing
