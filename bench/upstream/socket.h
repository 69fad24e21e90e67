// A connected, non-blocking socket, plain or under TLS.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tests/support/unique_fd.h"

namespace igpt::bench {

using TlsContext = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

// A server's, for HTTP/1.1 only. Null when a file can't be used; OpenSSL's error queue then says why.
TlsContext MakeTlsContext(const std::string& certificate_path, const std::string& key_path);

// The caller ignores SIGPIPE.
class Socket {
 public:
  // `tls` is null for a plain socket. The handshake is part of the first reads.
  Socket(testing::UniqueFd fd, SSL_CTX* tls);

  int fd() const { return fd_.get(); }

  // How many bytes were read or written: fewer than asked for when the next have to wait for epoll, nullopt when the
  // connection is over. What Write didn't take has to come first the next time.
  std::optional<size_t> Read(std::span<char> into);
  std::optional<size_t> Write(std::string_view bytes);

 private:
  // A TLS connection goes record by record: `step` does the next, `done` bytes into the whole.
  template <typename Step>
  std::optional<size_t> EachRecord(size_t size, Step step);

  testing::UniqueFd fd_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
};

}  // namespace igpt::bench
