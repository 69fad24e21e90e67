#include "igpt/testing/scripted_http_server.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "igpt/internal/base/signals_blocked.h"
#include "igpt/testing/internal/connection.h"
#include "igpt/testing/internal/must.h"
#include "igpt/testing/internal/request_head.h"
#include "igpt/testing/internal/unique_fd.h"

namespace igpt::testing {
namespace {

// epoll data other than connection numbers, which start at 1.
constexpr uint64_t kListener = 0;
constexpr uint64_t kStop = UINT64_MAX;

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

class ScriptedHttpServer::Impl {
 public:
  explicit Impl(Mode mode);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  int port() const { return port_; }

  void Queue(Handler handler) {
    const std::lock_guard lock(mutex_);
    queued_.push_back(std::move(handler));
  }

  void SetHandler(Handler handler) {
    const std::lock_guard lock(mutex_);
    handler_ = std::move(handler);
  }

  std::vector<HttpRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  int connections() const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(closed_at_.size());
  }

  std::optional<MonotonicTime> closed_at(int connection) const {
    const std::lock_guard lock(mutex_);
    return ClosedAt(connection);
  }

  bool AwaitRequests(size_t count, absl::Duration limit) const {
    return Await([&] { return requests_.size() >= count; }, limit);
  }

  bool AwaitConnections(int count, absl::Duration limit) const {
    return Await([&] { return closed_at_.size() >= static_cast<size_t>(count); }, limit);
  }

  bool AwaitClosed(int connection, absl::Duration limit) const {
    return Await([&] { return ClosedAt(connection).has_value(); }, limit);
  }

 private:
  // Accepts connections and notes which of them the peer closes, even while a handler is busy.
  void Watch();
  void Accept();
  // A connection's thread.
  void Serve(Connection connection);
  void Answer(Connection& connection, const HttpRequest& request);
  void NoteClosed(int connection);
  bool Await(const std::function<bool()>& condition, absl::Duration limit) const;

  // With mutex_ held.
  std::optional<MonotonicTime> ClosedAt(int connection) const {
    const size_t index = static_cast<size_t>(connection) - 1;
    return index < closed_at_.size() ? closed_at_[index] : std::nullopt;
  }

  const Mode mode_;
  const UniqueFd listener_;
  int port_ = 0;
  UniqueFd filler_;  // kNoHandshake: the only connection that fits into the backlog
  UniqueFd epoll_;
  Event stop_;
  std::thread watcher_;
  std::vector<std::thread> servers_;  // used only by watcher_ until that ends

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  // Guarded by mutex_.
  std::deque<Handler> queued_;
  Handler handler_;
  std::vector<HttpRequest> requests_;
  std::vector<std::optional<MonotonicTime>> closed_at_;  // by connection number, from 1
};

ScriptedHttpServer::Impl::Impl(Mode mode) : mode_(mode), listener_(NewSocket(SOCK_NONBLOCK)) {
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
  const internal::SignalsBlocked blocked;  // also on the threads that the watcher starts
  watcher_ = std::thread([this] { Watch(); });
}

ScriptedHttpServer::Impl::~Impl() {
  stop_.Set();
  if (watcher_.joinable()) watcher_.join();
  for (std::thread& server : servers_) server.join();
}

bool ScriptedHttpServer::Impl::Await(const std::function<bool()>& condition, absl::Duration limit) const {
  std::unique_lock lock(mutex_);
  // A wait without end would overflow the clock, and so not wait at all.
  return changed_.wait_for(lock, absl::ToChronoMilliseconds(std::min(limit, absl::Hours(24 * 365))), condition);
}

void ScriptedHttpServer::Impl::Watch() {
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

void ScriptedHttpServer::Impl::Accept() {
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

void ScriptedHttpServer::Impl::Serve(Connection connection) {
  if (mode_ == Mode::kServe) {
    std::string buffer;
    while (const std::optional<HttpRequest> request = ReadRequest(connection, buffer)) Answer(connection, *request);
    connection.CloseSending();
  }
  connection.AwaitPeerClosed(absl::InfiniteDuration());
  // The watcher may not have noticed it yet, and can't once the socket is closed.
  NoteClosed(connection.number());
}

void ScriptedHttpServer::Impl::Answer(Connection& connection, const HttpRequest& request) {
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

void ScriptedHttpServer::Impl::NoteClosed(int connection) {
  {
    const std::lock_guard lock(mutex_);
    std::optional<MonotonicTime>& time = closed_at_[static_cast<size_t>(connection) - 1];
    if (!time) time = MonotonicTime::Now();
  }
  changed_.notify_all();
}

ScriptedHttpServer::ScriptedHttpServer(Mode mode) : impl_(std::make_unique<Impl>(mode)) {}

ScriptedHttpServer::~ScriptedHttpServer() = default;

int ScriptedHttpServer::port() const {
  return impl_->port();
}

std::string ScriptedHttpServer::url(std::string_view path) const {
  return ("http://127.0.0.1:" + std::to_string(port())).append(path);
}

void ScriptedHttpServer::OnNextRequest(Handler handler) {
  impl_->Queue(std::move(handler));
}

void ScriptedHttpServer::OnRequest(Handler handler) {
  impl_->SetHandler(std::move(handler));
}

std::vector<HttpRequest> ScriptedHttpServer::requests() const {
  return impl_->requests();
}

int ScriptedHttpServer::connections() const {
  return impl_->connections();
}

std::optional<MonotonicTime> ScriptedHttpServer::closed_at(int connection) const {
  return impl_->closed_at(connection);
}

bool ScriptedHttpServer::AwaitRequests(size_t count, absl::Duration limit) const {
  return impl_->AwaitRequests(count, limit);
}

bool ScriptedHttpServer::AwaitConnections(int count, absl::Duration limit) const {
  return impl_->AwaitConnections(count, limit);
}

bool ScriptedHttpServer::AwaitClosed(int connection, absl::Duration limit) const {
  return impl_->AwaitClosed(connection, limit);
}

}  // namespace igpt::testing
