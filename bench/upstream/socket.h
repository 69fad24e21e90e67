// A connected, non-blocking socket, plain or under TLS.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "igpt/testing/internal/unique_fd.h"

namespace igpt::bench {

using TlsContext = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

// A server's TLS context, for HTTP/1.1 only. Null if a file can't be used; OpenSSL's error queue then says why.
TlsContext MakeTlsContext(const std::string& certificate_path, const std::string& key_path);

// The process must ignore SIGPIPE.
class Socket {
 public:
  // `tls` is null for a plain socket. The handshake is part of the first reads.
  Socket(testing::UniqueFd fd, SSL_CTX* tls);

  int fd() const { return fd_.get(); }

  // Return the number of bytes: fewer than requested if the rest has to wait for epoll, nullopt if the connection has
  // ended. What Write didn't accept must come first the next time.
  std::optional<size_t> Read(std::span<char> into);
  std::optional<size_t> Write(std::string_view bytes);

 private:
  // TLS works record by record: `step` processes the next one, at offset `done`.
  template <typename Step>
  std::optional<size_t> EachRecord(size_t size, Step step);

  testing::UniqueFd fd_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
};

}  // namespace igpt::bench
