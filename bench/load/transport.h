// A non-blocking TCP connection, with TLS if the endpoint has it.
#pragma once

#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "bench/load/options.h"
#include "igpt/testing/internal/unique_fd.h"

namespace igpt::bench {

struct SslDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

// Where to connect to, and how.
struct Endpoint {
  sockaddr_storage address = {};
  socklen_t address_size = 0;
  std::unique_ptr<SSL_CTX, SslDeleter> tls;  // null: none
};

// Throws std::runtime_error if the target has no address or a file of the TLS flags can't be used.
Endpoint MakeEndpoint(const Options& options);

class Transport {
 public:
  // Starts connecting. The first Read reports errors.
  explicit Transport(const Endpoint& endpoint);

  int fd() const { return socket_.get(); }

  // Returns the number of bytes; 0: none for now; -1: the connection has failed or ended.
  ssize_t Read(char* buffer, size_t size);
  ssize_t Write(std::string_view bytes);

  // Whether to read again after a Read of `read` out of `size` bytes, since epoll may not report what is left.
  bool MayHaveMore(ssize_t read, size_t size) const { return tls_ != nullptr || static_cast<size_t>(read) == size; }

 private:
  ssize_t TlsResult(int result);

  testing::UniqueFd socket_;
  std::unique_ptr<SSL, SslDeleter> tls_;
};

}  // namespace igpt::bench
