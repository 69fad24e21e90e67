#include "tests/support/scripted_http_server.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/numbers.h"

namespace igpt::testing {
namespace {

// epoll data other than connection numbers, which start at 1.
constexpr uint64_t kListener = 0;
constexpr uint64_t kStop = UINT64_MAX;

// Aborts if a system call fails that can only fail if the machine runs out of something.
int Must(int result, const char* call) {
  if (result < 0) {
    std::perror(call);
    std::abort();
  }
  return result;
}

sockaddr* AsSockaddr(sockaddr_in* address) {
  return reinterpret_cast<sockaddr*>(address);
}

UniqueFd NewSocket(int flags) {
  return UniqueFd(Must(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), "socket"));
}

void Register(int epoll, int fd, uint32_t events, uint64_t key) {
  epoll_event event = {.events = events, .data = {.u64 = key}};
  Must(::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

// Reads the next request of a connection. `buffer` holds what was received after the previous one. Returns nullopt if
// there is none, or if it can't be parsed.
std::optional<HttpRequest> ReadRequest(Connection& connection, std::string& buffer) {
  size_t end_of_head;
  while ((end_of_head = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!connection.Receive(buffer)) return std::nullopt;
  }
  const size_t head_size = end_of_head + 4;
  std::optional<HttpRequest> request = ParseHead(buffer.substr(0, head_size));
  if (!request || request->Header("Transfer-Encoding")) return std::nullopt;
  request->connection = connection.number();

  size_t body_size = 0;
  if (!absl::SimpleAtoi(request->Header("Content-Length").value_or("0"), &body_size)) return std::nullopt;
  while (buffer.size() - head_size < body_size) {
    if (!connection.Receive(buffer)) return std::nullopt;
  }
  request->body = buffer.substr(head_size, body_size);
  buffer.erase(0, head_size + body_size);
  return request;
}

}  // namespace

ScriptedHttpServer::ScriptedHttpServer(Mode mode) : mode_(mode), listener_(NewSocket(SOCK_NONBLOCK)) {
  sockaddr_in address = {.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  socklen_t size = sizeof address;
  Must(::bind(listener_.get(), AsSockaddr(&address), size), "bind");
  Must(::getsockname(listener_.get(), AsSockaddr(&address), &size), "getsockname");
  port_ = ntohs(address.sin_port);

  if (mode_ == Mode::kRefuse) return;
  if (mode_ == Mode::kNoHandshake) {
    // A backlog of 0 has room for one connection; the kernel drops the SYNs of all others.
    Must(::listen(listener_.get(), 0), "listen");
    filler_ = NewSocket(0);
    Must(::connect(filler_.get(), AsSockaddr(&address), size), "connect");
    return;
  }
  Must(::listen(listener_.get(), SOMAXCONN), "listen");
  epoll_ = UniqueFd(Must(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
  Register(epoll_.get(), listener_.get(), EPOLLIN, kListener);
  Register(epoll_.get(), stop_.fd(), EPOLLIN, kStop);
  watcher_ = std::thread([this] { Watch(); });
}

ScriptedHttpServer::~ScriptedHttpServer() {
  stop_.Set();
  if (watcher_.joinable()) watcher_.join();
  for (std::thread& server : servers_) server.join();
}

std::string ScriptedHttpServer::url(std::string_view path) const {
  return ("http://127.0.0.1:" + std::to_string(port_)).append(path);
}

void ScriptedHttpServer::OnNextRequest(Handler handler) {
  const std::lock_guard lock(mutex_);
  queued_.push_back(std::move(handler));
}

void ScriptedHttpServer::OnRequest(Handler handler) {
  const std::lock_guard lock(mutex_);
  handler_ = std::move(handler);
}

std::vector<HttpRequest> ScriptedHttpServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

int ScriptedHttpServer::connections() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(closed_at_.size());
}

std::optional<MonotonicTime> ScriptedHttpServer::closed_at(int connection) const {
  const std::lock_guard lock(mutex_);
  const size_t index = static_cast<size_t>(connection) - 1;
  return index < closed_at_.size() ? closed_at_[index] : std::nullopt;
}

bool ScriptedHttpServer::AwaitRequests(size_t count, absl::Duration limit) const {
  return Await([&] { return requests_.size() >= count; }, limit);
}

bool ScriptedHttpServer::AwaitConnections(int count, absl::Duration limit) const {
  return Await([&] { return closed_at_.size() >= static_cast<size_t>(count); }, limit);
}

bool ScriptedHttpServer::AwaitClosed(int connection, absl::Duration limit) const {
  const size_t index = static_cast<size_t>(connection) - 1;
  return Await([&] { return index < closed_at_.size() && closed_at_[index]; }, limit);
}

bool ScriptedHttpServer::Await(const std::function<bool()>& condition, absl::Duration limit) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, absl::ToChronoMilliseconds(limit), condition);
}

void ScriptedHttpServer::Watch() {
  while (!stop_.IsSet()) {
    epoll_event event;
    if (::epoll_wait(epoll_.get(), &event, 1, -1) < 0) {
      if (errno != EINTR) Must(-1, "epoll_wait");
    } else if (event.data.u64 == kListener) {
      Accept();
    } else if (event.data.u64 != kStop) {
      NoteClosed(static_cast<int>(event.data.u64));
    }
  }
}

void ScriptedHttpServer::Accept() {
  UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket.get() < 0) return;  // reset before it was accepted

  int number;
  {
    const std::lock_guard lock(mutex_);
    closed_at_.emplace_back();
    number = static_cast<int>(closed_at_.size());
  }
  changed_.notify_all();
  Register(epoll_.get(), socket.get(), EPOLLRDHUP | EPOLLONESHOT, static_cast<uint64_t>(number));
  servers_.emplace_back(
      [this, connection = Connection(number, std::move(socket), stop_)]() mutable { Serve(std::move(connection)); });
}

void ScriptedHttpServer::Serve(Connection connection) {
  if (mode_ == Mode::kServe) {
    std::string buffer;
    while (const std::optional<HttpRequest> request = ReadRequest(connection, buffer)) Answer(connection, *request);
    connection.CloseSending();
  }
  connection.AwaitPeerClosed(absl::InfiniteDuration());
  // The watcher may not have noticed it yet, and can't once the socket is closed.
  NoteClosed(connection.number());
}

void ScriptedHttpServer::Answer(Connection& connection, const HttpRequest& request) {
  Handler handler;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    if (queued_.empty()) {
      handler = handler_;
    } else {
      handler = std::move(queued_.front());
      queued_.pop_front();
    }
  }
  changed_.notify_all();
  Exchange exchange(connection, request);
  if (handler) {
    handler(exchange);
  } else {
    exchange.Answer(404, "this request has no handler", {{"Content-Type", "text/plain"}});
  }
}

void ScriptedHttpServer::NoteClosed(int connection) {
  {
    const std::lock_guard lock(mutex_);
    std::optional<MonotonicTime>& time = closed_at_[static_cast<size_t>(connection) - 1];
    if (!time) time = MonotonicTime::Now();
  }
  changed_.notify_all();
}

}  // namespace igpt::testing
