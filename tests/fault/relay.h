// A relay in front of a scripted server, with faults of its own: TLS that fails in various ways, and a server that dies
// and comes back. It passes on all bytes unchanged in both directions, and how each direction ends.
//
//   ScriptedHttpServer server;
//   Authority authority;
//   Relay relay(server.port(), authority.Issue());
//   … relay.url("/v1"), trusting authority.Pem() …
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "igpt/testing/event.h"
#include "igpt/testing/internal/unique_fd.h"
#include "tests/support/certificate.h"

namespace igpt::testing {

// What happens to a new connection.
enum class Greeting {
  kServe,
  kStall,         // nothing is ever sent
  kClose,         // FIN once the peer has sent something
  kReset,         // RST once the peer has sent something
  kGarbage,       // an answer that is not TLS
  kCutHandshake,  // the TLS handshake starts and is cut off
  kConnect,       // as a proxy that is told to CONNECT, and adds headers of its own
  kConnectClose,  // the same, but it closes after that
  kConnectAbort,  // as a proxy that closes once it is told to CONNECT
  kRefuse,        // as a proxy that refuses to CONNECT
  kSocks,         // as a SOCKS5 proxy
  kSocksRefuse,   // as one that refuses to connect
};

// Listens on a free port of 127.0.0.1, which it keeps. Thread-safe.
class Relay {
 public:
  // Relays to the server on that port of 127.0.0.1; accepts TLS if there is an identity. Connects from `source`, an
  // address of this host.
  explicit Relay(int target_port, std::optional<Identity> identity = std::nullopt, Greeting greeting = Greeting::kServe,
                 const char* source = "127.0.0.1");
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  int port() const { return port_; }
  // With the address as host unless another one is given.
  std::string url(std::string_view path, std::string_view host = "127.0.0.1") const;
  int connections() const;

  // Apply to new connections.
  void SetIdentity(Identity identity);
  void SetGreeting(Greeting greeting);
  // Wants certificates of clients, from one of these authorities, with TLS 1.2 or (0) the newest.
  void WantClientCertificates(std::string authorities, int tls = 0);
  // Breaks all connections and refuses new ones, until ComeBack.
  void Die();
  void ComeBack();

 private:
  struct Served {
    std::atomic<bool> over = false;
    std::thread thread;
  };

  // From one ComeBack to the next Die.
  struct Life {
    UniqueFd listener;
    Event over;
    std::thread acceptor;
    std::list<Served> connections;  // used only by the acceptor until that ends
  };

  void Accept(Life& life);
  void Serve(int socket, const Event& over);

  const int target_port_;
  const std::string source_;
  int port_ = 0;
  std::unique_ptr<Life> life_;

  mutable std::mutex mutex_;
  std::optional<Identity> identity_;  // guarded by the mutex, like the next four
  Greeting greeting_;
  std::string client_authorities_;  // as PEM; empty: no certificate is wanted
  int max_tls_ = 0;
  int connections_ = 0;
};

}  // namespace igpt::testing
