#include "service/http/http_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <list>
#include <system_error>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace igptd {
namespace {

// A thread that serves a connection, and whether it is done.
struct Worker {
  std::thread thread;
  std::atomic<bool> done = false;
};

void ReuseAddressOnly(int socket) {
  const int yes = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
}

// Other machines reach a server on every address; this one does on its loopback address.
std::string Reachable(const std::string& host) {
  if (host == "0.0.0.0") return "127.0.0.1";
  if (host == "::") return "[::1]";
  return host.find(':') == host.npos ? host : absl::StrCat("[", host, "]");
}

}  // namespace

HttpServer::HttpServer(const HttpLimits& limits) : limits_(limits) {
  set_socket_options(ReuseAddressOnly);
  set_tcp_nodelay(true);
  set_payload_max_length(limits.max_body);
  // What httplib writes into its Keep-Alive headers.
  set_keep_alive_timeout(absl::ToInt64Seconds(limits.keep_alive));
  set_keep_alive_max_count(static_cast<size_t>(limits.max_requests));
}

HttpServer::~HttpServer() {
  if (const int fd = svr_sock_.exchange(INVALID_SOCKET); fd != INVALID_SOCKET) ::close(fd);
}

absl::Status HttpServer::Bind(const std::string& address) {
  const size_t colon = address.rfind(':');
  std::string host = address.substr(0, std::min(colon, address.size()));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  int port = 0;
  if (colon == address.npos || host.empty() || !absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 0 ||
      port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot listen on \"", address, "\": give it as host:port, e.g. 127.0.0.1:0"));
  }
  errno = 0;
  port_ = port == 0 ? bind_to_any_port(host) : bind_to_port(host, port) ? port : -1;
  if (port_ < 0) {
    const int reason = errno;
    return absl::FailedPreconditionError(
        absl::StrCat("cannot listen on ", address, reason == 0 ? "" : ": ", reason == 0 ? "" : strerror(reason),
                     reason == EADDRINUSE ? "; stop what listens there, or choose another port (0 picks a free one)"
                                          : "; choose an address of this machine"));
  }
  ::listen(svr_sock_, SOMAXCONN);
  authority_ = absl::StrCat(Reachable(host), ":", port_);
  return absl::OkStatus();
}

void HttpServer::Serve() {
  std::list<Worker> workers;
  const auto join = [](Worker& worker) {
    worker.thread.join();
    return true;
  };
  while (true) {
    const int fd = accept4(svr_sock_, nullptr, nullptr, SOCK_CLOEXEC);
    const int error = errno;
    workers.remove_if([&](Worker& worker) { return worker.done && join(worker); });
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) {
        if (fd >= 0) ::close(fd);
        break;
      }
      if (fd >= 0 && connections_.size() >= limits_.max_connections) {
        ::close(fd);
        continue;
      }
      if (fd >= 0) connections_.insert(fd);
    }
    if (fd < 0) {
      // A client that left before it was accepted is no reason to wait; too many open files are.
      if (error != ECONNABORTED && error != EINTR) absl::SleepFor(absl::Milliseconds(10));
      continue;
    }
    Worker& worker = workers.emplace_back();
    const auto serve = [this, fd, &worker] {
      ServeConnection(fd);
      worker.done = true;
    };
    try {
      worker.thread = std::thread(serve);
    } catch (const std::system_error&) {  // no more threads: this connection is refused
      workers.pop_back();
      const std::lock_guard lock(mutex_);
      connections_.erase(fd);
      ::close(fd);
    }
  }
  workers.remove_if(join);
}

void HttpServer::Stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  shutdown(svr_sock_, SHUT_RDWR);
  for (const int fd : connections_) shutdown(fd, SHUT_RDWR);
}

void HttpServer::ServeConnection(int fd) {
  HttpConnection connection(fd, limits_.patience);
  bool more = true;
  for (int left = limits_.max_requests; more && left > 0 && connection.WaitForRequest(limits_.keep_alive); --left) {
    bool closed = false;
    // Answers are never compressed: an answer has to be on the wire when it is written.
    more = process_request(connection, /*close_connection=*/left == 1, closed,
                           [](httplib::Request& request) { request.headers.erase("Accept-Encoding"); }) &&
           !closed;
  }
  const std::lock_guard lock(mutex_);
  connections_.erase(fd);
  shutdown(fd, SHUT_RDWR);
  ::close(fd);
}

}  // namespace igptd
