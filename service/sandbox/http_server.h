// cpp-httplib's server with its own care of connections. httplib parses, routes and writes; what it would do between
// requests is not good enough for a service's tests and soaks:
// - a listen backlog of 5, and SO_REUSEPORT, with which two servers share a port in silence;
// - an accept loop that ends for good on some errors;
// - a fixed pool of threads, each polling a connection every 10 ms for as long as it is idle;
// - stopping waits until the idle connections time out;
// - a client that reads slowly is cut off after 5 s.
// Here every connection has a thread while it is open, a slow reader is waited for, and Stop() ends everything at once.
#pragma once

#include <httplib.h>

#include <mutex>
#include <set>
#include <string>

#include "absl/status/status.h"

namespace igptd::sandbox {

class HttpServer final : public httplib::Server {
 public:
  HttpServer();
  ~HttpServer() override;

  // Binds to "host:port"; port 0 picks a free one. FAILED_PRECONDITION, INVALID_ARGUMENT: it can't, and why.
  absl::Status Bind(const std::string& address);

  // "127.0.0.1:41234": where a client on this machine finds the server. After Bind.
  const std::string& authority() const { return authority_; }

  // Serves until Stop; then waits for its threads.
  void Serve();

  // Ends Serve and every connection. From any thread.
  void Stop();

 private:
  void ServeConnection(int fd);

  std::string authority_;
  std::mutex mutex_;  // guards what follows
  bool stopping_ = false;
  std::set<int> connections_;
};

}  // namespace igptd::sandbox
