#include "tests/fault/relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string>
#include <utility>

#include "igpt/testing/internal/await_fd.h"

namespace igpt::testing {
namespace {

int Must(int result, const char* call) {
  if (result < 0) {
    std::perror(call);
    std::abort();
  }
  return result;
}

sockaddr_in Loopback(int port) {
  return {.sin_family = AF_INET,
          .sin_port = htons(static_cast<uint16_t>(port)),
          .sin_addr = {htonl(INADDR_LOOPBACK)},
          .sin_zero = {}};
}

UniqueFd Listen(int port) {
  UniqueFd socket(Must(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address = Loopback(port);
  Must(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), "bind");
  Must(::listen(socket.get(), SOMAXCONN), "listen");
  return socket;
}

int PortOf(int socket) {
  sockaddr_in address;
  socklen_t size = sizeof address;
  Must(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  return ntohs(address.sin_port);
}

void ResetWhenClosed(int socket) {
  const linger no_linger = {.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &no_linger, sizeof no_linger);
}

// One side of a connection: a socket, with or without TLS. The socket is non-blocking; Read and Write wait.
class Side {
 public:
  Side(int socket, const Event& over) : socket_(socket), over_(over) {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  // The server's part of a handshake. With authorities, the client has to have a certificate of one of them. When it
  // fails, this waits until the client has heard of it.
  bool Secure(const Identity& identity, const std::string& client_authorities, int max_tls) {
    context_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(context_.get(), identity.certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), identity.key.get());
    SSL_CTX_set_max_proto_version(context_.get(), max_tls);
    if (!client_authorities.empty()) {
      Trust(client_authorities);
      SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), socket_.get());
    if (Finish([this] { return SSL_accept(ssl_.get()); }) > 0) return true;
    ::shutdown(socket_.get(), SHUT_WR);
    static_cast<void>(AwaitFd(socket_.get(), POLLRDHUP, absl::InfiniteDuration(), &over_));
    return false;
  }

  int fd() const { return socket_.get(); }
  bool HasBuffered() const { return ssl_ != nullptr && SSL_pending(ssl_.get()) > 0; }

  // Returns the number of bytes; 0 at the end, -1 if the connection broke.
  int Read(char* buffer, int size) {
    if (ssl_ != nullptr) {
      const int got = Finish([&] { return SSL_read(ssl_.get(), buffer, size); });
      if (got > 0) return got;
      return SSL_get_error(ssl_.get(), got) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
    }
    const ssize_t got = ::recv(socket_.get(), buffer, static_cast<size_t>(size), 0);
    return static_cast<int>(got);
  }

  bool Write(const char* bytes, int size) {
    if (ssl_ != nullptr) return Finish([&] { return SSL_write(ssl_.get(), bytes, size); }) > 0;
    for (int sent = 0; sent < size;) {
      const ssize_t more = ::send(socket_.get(), bytes + sent, static_cast<size_t>(size - sent), MSG_NOSIGNAL);
      if (more > 0) sent += static_cast<int>(more);
      if (more < 0 && (errno != EAGAIN || !AwaitFd(socket_.get(), POLLOUT, absl::InfiniteDuration(), &over_))) {
        return false;
      }
    }
    return true;
  }

  void EndWriting() {
    if (ssl_ != nullptr) SSL_shutdown(ssl_.get());
    ::shutdown(socket_.get(), SHUT_WR);
  }
  void Break() { ResetWhenClosed(socket_.get()); }

 private:
  void Trust(const std::string& pem) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                        BIO_free);
    while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), certificate);
      X509_free(certificate);
    }
    ERR_clear_error();  // the end of the text
  }

  template <typename Call>
  int Finish(Call call) {
    for (;;) {
      const int result = call();
      if (result > 0) return result;
      const int error = SSL_get_error(ssl_.get(), result);
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return result;
      const short events = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
      if (!AwaitFd(socket_.get(), events, absl::InfiniteDuration(), &over_)) return result;
    }
  }

  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  UniqueFd socket_;
  const Event& over_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
};

// Empty if the peer ends before that.
std::string ReadExactly(Side& side, size_t bytes, const Event& over) {
  std::string text(bytes, '\0');
  for (size_t got = 0; got < bytes;) {
    if (!AwaitFd(side.fd(), POLLIN, absl::InfiniteDuration(), &over)) return "";
    const int more = side.Read(text.data() + got, static_cast<int>(bytes - got));
    if (more <= 0) return "";
    got += static_cast<size_t>(more);
  }
  return text;
}

// A proxy's part of RFC 1928, without authentication. It leads on to the relay's server, wherever it was told to go.
bool ServeSocks(Side& client, bool accept, const Event& over) {
  const std::string greeting = ReadExactly(client, 2, over);
  if (greeting.empty() || ReadExactly(client, static_cast<size_t>(greeting[1]), over).empty()) return false;
  client.Write("\5\0", 2);
  const std::string request = ReadExactly(client, 5, over);
  if (request.empty()) return false;
  constexpr char kName = 3;
  constexpr char kIpv6 = 4;
  const size_t name = static_cast<uint8_t>(request[4]);
  const size_t address = request[3] == kName ? name + 1 : request[3] == kIpv6 ? 16 : 4;
  if (ReadExactly(client, address - 1 + 2, over).empty()) return false;
  const std::string answer = std::string("\5") + (accept ? '\0' : '\2') + std::string("\0\1\0\0\0\0\0\0", 8);
  client.Write(answer.data(), static_cast<int>(answer.size()));
  return accept;
}

// Passes on what is available. Returns false once `from` has ended; then ends `to` in the same way.
bool PassOn(Side& from, Side& to) {
  std::array<char, 16'384> buffer;
  do {
    const int got = from.Read(buffer.data(), buffer.size());
    if (got < 0) to.Break();
    if (got == 0) to.EndWriting();
    if (got <= 0 || !to.Write(buffer.data(), got)) return false;
  } while (from.HasBuffered());
  return true;
}

// Runs until both directions have ended, one broke, or `over` is set.
void Pump(Side& client, Side& server, const Event& over) {
  pollfd fds[] = {{client.fd(), POLLIN, 0}, {server.fd(), POLLIN, 0}, {over.fd(), POLLIN, 0}};
  while (fds[0].fd >= 0 && fds[1].fd >= 0) {
    if (::poll(fds, std::size(fds), -1) < 0) continue;
    if (fds[2].revents != 0) {
      client.Break();
      server.Break();
      return;
    }
    if (fds[0].revents != 0 && !PassOn(client, server)) return;  // a client that closes wants no more
    if (fds[1].revents != 0 && !PassOn(server, client)) fds[1].fd = -1;
  }
}

}  // namespace

Relay::Relay(int target_port, std::optional<Identity> identity, Greeting greeting, const char* source)
    : target_port_(target_port), source_(source), identity_(std::move(identity)), greeting_(greeting) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to a socket whose peer may be gone
  ComeBack();
}

Relay::~Relay() {
  Die();
}

std::string Relay::url(std::string_view path, std::string_view host) const {
  const std::lock_guard lock(mutex_);
  return (identity_ ? "https://" : "http://") + std::string(host) + ":" + std::to_string(port_) + std::string(path);
}

int Relay::connections() const {
  const std::lock_guard lock(mutex_);
  return connections_;
}

void Relay::SetIdentity(Identity identity) {
  const std::lock_guard lock(mutex_);
  identity_ = std::move(identity);
}

void Relay::SetGreeting(Greeting greeting) {
  const std::lock_guard lock(mutex_);
  greeting_ = greeting;
}

void Relay::WantClientCertificates(std::string authorities, int tls) {
  const std::lock_guard lock(mutex_);
  client_authorities_ = std::move(authorities);
  max_tls_ = tls;
}

void Relay::Die() {
  if (life_ == nullptr) return;
  life_->over.Set();
  life_->acceptor.join();
  for (Served& connection : life_->connections) connection.thread.join();
  life_.reset();
}

void Relay::ComeBack() {
  life_ = std::make_unique<Life>();
  life_->listener = Listen(port_);
  port_ = PortOf(life_->listener.get());
  life_->acceptor = std::thread([this, life = life_.get()] { Accept(*life); });
}

void Relay::Accept(Life& life) {
  while (AwaitFd(life.listener.get(), POLLIN, absl::InfiniteDuration(), &life.over)) {
    const int socket = ::accept4(life.listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket < 0) continue;
    {
      const std::lock_guard lock(mutex_);
      ++connections_;
    }
    life.connections.remove_if([](Served& served) {
      if (served.over) served.thread.join();
      return !served.thread.joinable();
    });
    Served& served = life.connections.emplace_back();
    served.thread = std::thread([this, socket, &life, &served] {
      Serve(socket, life.over);
      served.over = true;
    });
  }
}

void Relay::Serve(int socket, const Event& over) {
  Side client(socket, over);
  std::optional<Identity> identity;
  Greeting greeting;
  std::string client_authorities;
  int max_tls;
  {
    const std::lock_guard lock(mutex_);
    identity = identity_;
    greeting = greeting_;
    client_authorities = client_authorities_;
    max_tls = max_tls_;
  }
  if (greeting >= Greeting::kConnect && greeting <= Greeting::kRefuse) {
    for (std::string head; !head.ends_with("\r\n\r\n");) {
      const std::string byte = ReadExactly(client, 1, over);
      if (byte.empty()) return;
      head += byte;
    }
    if (greeting == Greeting::kConnectAbort) return;
    const std::string_view answer =
        greeting == Greeting::kRefuse
            ? "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
            : "HTTP/1.1 200 Connection established\r\nContent-Type: text/html\r\nVia: 1.1 proxy\r\n\r\n";
    client.Write(answer.data(), static_cast<int>(answer.size()));
    if (greeting != Greeting::kConnect) return;
  } else if (greeting == Greeting::kSocks || greeting == Greeting::kSocksRefuse) {
    if (!ServeSocks(client, greeting == Greeting::kSocks, over)) return;
  } else if (greeting != Greeting::kServe) {
    if (!AwaitFd(socket, POLLIN, absl::InfiniteDuration(), &over)) return;
    if (greeting == Greeting::kStall && !AwaitFd(socket, POLLRDHUP, absl::InfiniteDuration(), &over)) return;
    if (greeting == Greeting::kReset) client.Break();
    if (greeting == Greeting::kGarbage) client.Write("HTTP/1.1 400 \r\n\r\n", 17);
    // A handshake record that announces more bytes than follow.
    if (greeting == Greeting::kCutHandshake) client.Write("\x16\x03\x03\x00\x7a\x02\x00\x00", 8);
    return;
  }
  if (identity && !client.Secure(*identity, client_authorities, max_tls)) return;
  const int target = Must(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  Side server(target, over);
  // The port only at connect(), which can take one again that another connection has left.
  const int on = 1;
  ::setsockopt(target, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in own = Loopback(0);
  ::inet_pton(AF_INET, source_.c_str(), &own.sin_addr);
  Must(::bind(target, reinterpret_cast<const sockaddr*>(&own), sizeof own), "bind");
  const sockaddr_in address = Loopback(target_port_);
  if (::connect(target, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) return client.Break();
  Pump(client, server, over);
}

}  // namespace igpt::testing
