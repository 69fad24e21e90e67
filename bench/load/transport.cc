#include "bench/load/transport.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <tuple>

namespace igpt::bench {
namespace {

void Require(bool good, const std::string& what) {
  if (!good) throw std::runtime_error(what);
}

std::unique_ptr<SSL_CTX, SslDeleter> MakeTls(const Options& options) {
  std::unique_ptr<SSL_CTX, SslDeleter> tls(SSL_CTX_new(TLS_client_method()));
  Require(SSL_CTX_load_verify_locations(tls.get(), options.tls_ca.c_str(), nullptr) == 1, "--tls_ca can't be used");
  // Checks the chain but not the name, since a benchmark's certificates are made for any name.
  SSL_CTX_set_verify(tls.get(), SSL_VERIFY_PEER, nullptr);
  if (!options.tls_cert.empty()) {
    Require(SSL_CTX_use_certificate_chain_file(tls.get(), options.tls_cert.c_str()) == 1, "--tls_cert can't be used");
    Require(SSL_CTX_use_PrivateKey_file(tls.get(), options.tls_key.c_str(), SSL_FILETYPE_PEM) == 1,
            "--tls_key can't be used");
  }
  const std::string protocol = options.protocol == "grpc" ? std::string("\x02h2") : std::string("\x08http/1.1");
  SSL_CTX_set_alpn_protos(tls.get(), reinterpret_cast<const unsigned char*>(protocol.data()),
                          static_cast<unsigned>(protocol.size()));
  SSL_CTX_set_mode(tls.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Reads many records with one recv.
  SSL_CTX_set_read_ahead(tls.get(), 1);
  SSL_CTX_set_default_read_buffer_len(tls.get(), size_t{64} << 10);
  return tls;
}

}  // namespace

Endpoint MakeEndpoint(const Options& options) {
  Endpoint endpoint;
  const size_t colon = options.target.rfind(':');
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(options.target.substr(0, colon).c_str(), options.target.substr(colon + 1).c_str(), &hints, &found);
  Require(error == 0, "--target has no address");
  std::memcpy(&endpoint.address, found->ai_addr, found->ai_addrlen);
  endpoint.address_size = found->ai_addrlen;
  ::freeaddrinfo(found);
  if (!options.tls_ca.empty()) endpoint.tls = MakeTls(options);
  return endpoint;
}

Transport::Transport(const Endpoint& endpoint)
    : socket_(::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  Require(fd() >= 0, std::string("socket: ") + std::strerror(errno));
  const int on = 1;
  ::setsockopt(fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // Until the socket is connected, reads and writes return EAGAIN; if connecting fails, they return the error.
  std::ignore = ::connect(fd(), reinterpret_cast<const sockaddr*>(&endpoint.address), endpoint.address_size);
  if (endpoint.tls == nullptr) return;
  tls_.reset(SSL_new(endpoint.tls.get()));
  SSL_set_fd(tls_.get(), fd());
  SSL_set_connect_state(tls_.get());
}

ssize_t Transport::Read(char* buffer, size_t size) {
  if (tls_ != nullptr)
    return TlsResult(SSL_read(tls_.get(), buffer, static_cast<int>(std::min<size_t>(size, INT_MAX))));
  const ssize_t received = ::recv(fd(), buffer, size, 0);
  if (received > 0) return received;
  return received < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

ssize_t Transport::Write(std::string_view bytes) {
  if (tls_ != nullptr) {
    return TlsResult(SSL_write(tls_.get(), bytes.data(), static_cast<int>(std::min<size_t>(bytes.size(), INT_MAX))));
  }
  const ssize_t sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return sent;
  return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

ssize_t Transport::TlsResult(int result) {
  if (result > 0) return result;
  const int error = SSL_get_error(tls_.get(), result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return 0;
  // Prints why, for example, a certificate was rejected. Also clears the error queue, as the next call requires.
  ERR_print_errors_fp(stderr);
  return -1;
}

}  // namespace igpt::bench
