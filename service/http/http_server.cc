#include "service/http/http_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <exception>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "service/http/http_request_reader.h"
#include "service/http/http_response_writer.h"

namespace igptd {
namespace {

// How soon a connection whose data has been read since may be ended for another.
constexpr std::chrono::milliseconds kLookAgain(5);

// For how long a connection counts as one that has just come.
constexpr std::chrono::milliseconds kNew(100);

// A thread that serves a connection, and whether it is done.
struct Worker {
  std::thread thread;
  std::atomic<bool> done = false;
};

// Whether something has come from the client that its thread has yet to read.
bool HasUnread(int fd) {
  pollfd poll_fd{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&poll_fd, 1, /*timeout=*/0) > 0 && (poll_fd.revents & POLLHUP) == 0;
}

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
    std::list<Open>::iterator connection;
    {
      std::unique_lock lock(mutex_);
      if (stopping_) {
        if (fd >= 0) ::close(fd);
        break;
      }
      if (fd >= 0 && !MakeRoom(lock)) {
        ::close(fd);
        break;
      }
      if (fd >= 0) connection = connections_.insert(connections_.end(), {.fd = fd});
    }
    if (fd < 0) {
      // A client that left before it was accepted is no reason to wait; too many open files are.
      if (error != ECONNABORTED && error != EINTR) absl::SleepFor(absl::Milliseconds(10));
      continue;
    }
    Worker& worker = workers.emplace_back();
    const auto serve = [this, connection, &worker] {
      ServeConnection(connection);
      worker.done = true;
    };
    try {
      worker.thread = std::thread(serve);
    } catch (const std::system_error&) {  // no more threads: this connection is refused
      workers.pop_back();
      Close(connection);
    }
  }
  workers.remove_if(join);
}

void HttpServer::Stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  shutdown(socket_.fd, SHUT_RDWR);
  for (const Open& connection : connections_) shutdown(connection.fd, SHUT_RDWR);
  changed_.notify_all();
}

bool HttpServer::MakeRoom(std::unique_lock<std::mutex>& lock) {
  while (!stopping_ && connections_.size() >= limits_.max_connections) {
    if (Open* connection = LeastDeserving()) {
      connection->ended = true;
      shutdown(connection->fd, SHUT_RDWR);
    }
    changed_.wait_for(lock, kLookAgain);
  }
  return !stopping_;
}

// The oldest: a new client has time to send its request. One whose request has come and only has to be read, or is
// being answered, is never ended for another; nor is one that has just come, while the end of an answer will make room.
HttpServer::Open* HttpServer::LeastDeserving() {
  Open* oldest = nullptr;
  bool answering = false;
  for (Open& connection : connections_) {
    if (connection.ended) return nullptr;  // it is about to make room
    answering = answering || connection.state == State::kAnswers;
    const bool waits =
        connection.state == State::kWrites || (connection.state == State::kReads && !HasUnread(connection.fd));
    if (waits && oldest == nullptr) oldest = &connection;
  }
  if (oldest == nullptr || !answering || oldest->state == State::kWrites) return oldest;
  return std::chrono::steady_clock::now() - oldest->since < kNew ? nullptr : oldest;
}

void HttpServer::Close(std::list<Open>::iterator connection) {
  const std::lock_guard lock(mutex_);
  shutdown(connection->fd, SHUT_RDWR);
  ::close(connection->fd);
  connections_.erase(connection);
  changed_.notify_all();
}

void HttpServer::SetState(Open& connection, State state) {
  const std::lock_guard lock(mutex_);
  connection.state = state;
  changed_.notify_all();
}

void HttpServer::ServeConnection(std::list<Open>::iterator connection) {
  const int yes = 1;
  setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  Exchange(*connection);
  Close(connection);
}

// Answers the requests of the connection, until either side has had enough.
void HttpServer::Exchange(Open& open) {
  using Outcome = HttpRequestReader::Outcome;
  HttpConnection connection(open.fd, limits_.patience);
  HttpRequestReader reader(connection, limits_.max_body);
  for (bool more = true; more;) {
    HttpRequest request;
    const Outcome outcome = reader.Read(limits_.idle, request);
    if (outcome == Outcome::kGone) return;
    if (outcome != Outcome::kWhole) {
      SetState(open, State::kWrites);
      WriteResponse(connection, handler_.refuse(outcome == Outcome::kTooLarge ? 413 : 400), {.close = true});
      return connection.Linger();
    }
    more = limits_.keep_alive && request.keep_alive;
    const HttpFraming framing = {.head_only = request.method == "HEAD", .close = !more};
    SetState(open, State::kAnswers);
    const HttpResponse response = Answer(request);
    SetState(open, State::kWrites);
    more = WriteResponse(connection, response, framing) && more;
    SetState(open, State::kReads);
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
