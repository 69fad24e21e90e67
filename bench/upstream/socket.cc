#include "bench/upstream/socket.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace igpt::bench {
namespace {

int SelectHttp11(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                 unsigned int offered_size, void* /*arg*/) {
  static constexpr unsigned char kHttp11[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* selected = nullptr;
  const int outcome = SSL_select_next_proto(&selected, out_size, kHttp11, sizeof(kHttp11), offered, offered_size);
  *out = selected;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::optional<size_t> Result(ssize_t result) {
  if (result >= 0) return static_cast<size_t>(result);
  if (errno == EAGAIN || errno == EINTR) return 0;
  return std::nullopt;
}

}  // namespace

TlsContext MakeTlsContext(const std::string& certificate_path, const std::string& key_path) {
  TlsContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_path.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), key_path.c_str(), SSL_FILETYPE_PEM) != 1) {
    context.reset();
    return context;
  }
  SSL_CTX_set_read_ahead(context.get(), 1);  // otherwise a record's head and body take a system call each
  SSL_CTX_set_alpn_select_cb(context.get(), SelectHttp11, nullptr);
  // The rest of a partial write may have moved when it is retried. Thousands of idle connections keep no buffers.
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  return context;
}

Socket::Socket(testing::UniqueFd fd, SSL_CTX* tls) : fd_(std::move(fd)), ssl_(nullptr, SSL_free) {
  if (tls == nullptr) return;
  ssl_.reset(SSL_new(tls));
  SSL_set_fd(ssl_.get(), fd_.get());
  SSL_set_accept_state(ssl_.get());
}

std::optional<size_t> Socket::Read(std::span<char> into) {
  if (ssl_ != nullptr) {
    return EachRecord(into.size(), [&](size_t done) {
      return SSL_read(ssl_.get(), into.data() + done, static_cast<int>(into.size() - done));
    });
  }
  const ssize_t size = recv(fd_.get(), into.data(), into.size(), 0);
  if (size == 0) return std::nullopt;
  return Result(size);
}

std::optional<size_t> Socket::Write(std::string_view bytes) {
  if (ssl_ != nullptr) {
    return EachRecord(bytes.size(), [&](size_t done) {
      return SSL_write(ssl_.get(), bytes.data() + done, static_cast<int>(bytes.size() - done));
    });
  }
  return Result(send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

// Data before the connection's end counts first; the next call sees the end again. A handshake never waits to write,
// because what it sends fits into every socket's buffer.
template <typename Step>
std::optional<size_t> Socket::EachRecord(size_t size, Step step) {
  size_t done = 0;
  while (done < size) {
    ERR_clear_error();
    const int result = step(done);
    if (result <= 0) {
      const int error = SSL_get_error(ssl_.get(), result);
      if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE || done > 0) break;
      return std::nullopt;
    }
    done += result;
  }
  return done;
}

}  // namespace igpt::bench
