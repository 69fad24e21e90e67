#include "bench/upstream/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <utility>

namespace igpt::bench {
namespace {

constexpr int kBacklog = 4096;
constexpr int kMaxReady = 1024;
// The minimum time between wake-ups for timers alone, so that at tens of thousands of events a second the loop sleeps
// once for several of them. An event may be this late on an idle machine.
constexpr int64_t kTimerInterval = 200'000;

// Ends the process, since the benchmark would be worthless after such a failure.
[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::exit(1);
}

testing::UniqueFd Listen() {
  testing::UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  // Accepted sockets inherit it.
  const int on = 1;
  setsockopt(listener.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) Die("bind");
  if (listen(listener.get(), kBacklog) != 0) Die("listen");
  return listener;
}

}  // namespace

Server::Server(SSL_CTX* tls, testing::UniqueFd stop)
    : tls_(tls), stop_(std::move(stop)), epoll_(epoll_create1(EPOLL_CLOEXEC)), listener_(Listen()) {
  Watch(stop_.get(), EPOLL_CTL_ADD, EPOLLIN);
  Watch(listener_.get(), EPOLL_CTL_ADD, EPOLLIN);
}

int Server::port() const {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

void Server::Run() {
  while (!stopping_) {
    ServeDescriptors();
    ServeTimers();
  }
}

void Server::Watch(int fd, int operation, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (epoll_ctl(epoll_.get(), operation, fd, &event) != 0) Die("epoll_ctl");
}

void Server::ServeDescriptors() {
  timespec timeout{};
  if (!timers_.empty()) {
    const int64_t wake = std::max(timers_.top().due, timers_served_ + kTimerInterval);
    const int64_t wait = std::max<int64_t>(wake - Now(), 0);
    timeout = {.tv_sec = wait / 1'000'000'000, .tv_nsec = wait % 1'000'000'000};
  }
  std::array<epoll_event, kMaxReady> ready;
  const int count = epoll_pwait2(epoll_.get(), ready.data(), kMaxReady, timers_.empty() ? nullptr : &timeout, nullptr);
  if (count < 0 && errno != EINTR) Die("epoll_pwait2");
  for (int i = 0; i < count; ++i) {
    const int fd = ready[i].data.fd;
    if (fd == stop_.get()) {
      stopping_ = true;
    } else if (fd == listener_.get()) {
      Accept();
    } else {
      Connection& connection = *slots_[fd].connection;
      // Reading the socket reveals an error or hangup.
      const bool readable = (ready[i].events & ~EPOLLOUT) != 0;
      bool alive = !readable || connection.OnReadable();
      if (alive && (ready[i].events & EPOLLOUT) != 0) alive = connection.Continue();
      Settle(slots_[fd], alive);
    }
  }
}

void Server::ServeTimers() {
  const int64_t now = Now();
  if (timers_.empty() || timers_.top().due > now) return;
  timers_served_ = now;
  while (!timers_.empty() && timers_.top().due <= now) {
    const Timer timer = timers_.top();
    timers_.pop();
    Slot& slot = slots_[timer.fd];
    if (slot.connection == nullptr || slot.serial != timer.serial) continue;
    slot.timed = false;
    Settle(slot, slot.connection->Continue());
  }
}

void Server::Accept() {
  while (true) {
    testing::UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.get() < 0) {
      if (errno == EAGAIN) return;
      if (errno == ECONNABORTED || errno == EINTR) continue;
      Die("accept4");
    }
    const size_t index = fd.get();
    if (index >= slots_.size()) slots_.resize(index + 1);
    Watch(fd.get(), EPOLL_CTL_ADD, EPOLLIN);
    slots_[index] = {.connection = std::make_unique<Connection>(Socket(std::move(fd), tls_), shared_),
                     .serial = ++connections_};
  }
}

void Server::Settle(Slot& slot, bool alive) {
  if (!alive) {
    slot = {};  // closing the descriptor removes it from epoll
    return;
  }
  Connection& connection = *slot.connection;
  if (connection.wants_to_write() != slot.awaits_writes) {
    slot.awaits_writes = connection.wants_to_write();
    Watch(connection.fd(), EPOLL_CTL_MOD, slot.awaits_writes ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }
  const std::optional<int64_t> due = connection.due();
  if (due && !slot.timed) {
    slot.timed = true;
    timers_.push({.due = *due, .fd = connection.fd(), .serial = slot.serial});
  }
}

}  // namespace igpt::bench
