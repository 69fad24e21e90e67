// cpp-httplib's server with its own care of connections. httplib parses, routes and writes; what it would do between
// requests is not good enough for a service:
// - a listen backlog of 5, and SO_REUSEPORT, with which two servers share a port in silence;
// - an accept loop that ends for good on some errors;
// - a fixed pool of threads, each polling a connection every 10 ms for as long as it is idle, and an unbounded queue of
//   connections before it;
// - stopping waits until the idle connections time out;
// - a client that reads slowly is cut off after 5 s.
// Here every connection has a thread while it is open, up to a limit, and Stop() ends everything at once.
#pragma once

#include <httplib.h>

#include <cstddef>
#include <mutex>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "service/http/http_connection.h"

namespace igptd {

struct HttpLimits {
  HttpPatience patience;
  absl::Duration keep_alive;  // how long a connection may be idle
  int max_requests;           // on one connection
  size_t max_connections;     // at once; one more is closed
  size_t max_body;
};

class HttpServer final : public httplib::Server {
 public:
  explicit HttpServer(const HttpLimits& limits);
  ~HttpServer() override;

  // Binds to "host:port"; port 0 picks a free one. FAILED_PRECONDITION, INVALID_ARGUMENT: "cannot listen on …", and
  // why.
  absl::Status Bind(const std::string& address);

  // After Bind: the port, and "127.0.0.1:41234", where a client on this machine finds the server.
  int port() const { return port_; }
  const std::string& authority() const { return authority_; }

  // Serves until Stop; then waits for its threads.
  void Serve();

  // Ends Serve and every connection. From any thread.
  void Stop();

 private:
  void ServeConnection(int fd);

  const HttpLimits limits_;
  int port_ = 0;
  std::string authority_;
  std::mutex mutex_;  // guards what follows
  bool stopping_ = false;
  std::set<int> connections_;
};

}  // namespace igptd
