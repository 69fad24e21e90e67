#include "service/http/http_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <exception>
#include <list>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "service/http/http_request_reader.h"
#include "service/http/http_response_writer.h"

namespace igptd {
namespace {

// A thread that serves a connection, and whether it is done.
struct Worker {
  std::thread thread;
  std::atomic<bool> done = false;
};

}  // namespace

HttpServer::HttpServer(const HttpLimits& limits, HttpHandler handler) : limits_(limits), handler_(std::move(handler)) {}

HttpServer::~HttpServer() {
  if (socket_.fd >= 0) ::close(socket_.fd);
}

absl::Status HttpServer::Bind(const std::string& address) {
  absl::StatusOr<ListeningSocket> socket = Listen(address);
  if (!socket.ok()) return socket.status();
  socket_ = *std::move(socket);
  return absl::OkStatus();
}

void HttpServer::Serve() {
  std::list<Worker> workers;
  const auto join = [](Worker& worker) {
    worker.thread.join();
    return true;
  };
  while (true) {
    const int fd = accept4(socket_.fd, nullptr, nullptr, SOCK_CLOEXEC);
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
  shutdown(socket_.fd, SHUT_RDWR);
  for (const int fd : connections_) shutdown(fd, SHUT_RDWR);
}

void HttpServer::ServeConnection(int fd) {
  const int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  Exchange(fd);
  const std::lock_guard lock(mutex_);
  connections_.erase(fd);
  shutdown(fd, SHUT_RDWR);
  ::close(fd);
}

// Answers the requests of the connection, until either side has had enough.
void HttpServer::Exchange(int fd) {
  using Outcome = HttpRequestReader::Outcome;
  HttpConnection connection(fd, limits_.patience);
  HttpRequestReader reader(connection, limits_.max_body);
  for (bool more = true; more;) {
    HttpRequest request;
    const Outcome outcome = reader.Read(limits_.idle, request);
    if (outcome == Outcome::kGone) return;
    if (outcome != Outcome::kWhole) {
      WriteResponse(connection, handler_.refuse(outcome == Outcome::kTooLarge ? 413 : 400), {.close = true});
      return connection.Linger();
    }
    more = limits_.keep_alive && request.keep_alive;
    const HttpFraming framing = {.head_only = request.method == "HEAD", .close = !more};
    more = WriteResponse(connection, Answer(request), framing) && more;
  }
}

HttpResponse HttpServer::Answer(const HttpRequest& request) const {
  try {
    return handler_.answer(request);
  } catch (const std::exception&) {
    return handler_.refuse(500);
  }
}

}  // namespace igptd
