#include "service/edge/listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "service/system/host_port.h"

namespace igptd {
namespace {

constexpr int kBacklog = 4096;

// How long to pause accepting when no file descriptors are left. Callers wait in the backlog meanwhile.
constexpr absl::Duration kPause = absl::Milliseconds(100);

// How long the peer may leave sent data unacknowledged: the same limit as that of gRPC's keepalive pings.
constexpr unsigned kUnacknowledgedMs = 10'000;

template <typename T>
void SetOption(int fd, int level, int name, T value) {
  setsockopt(fd, level, name, &value, sizeof(value));  // the connection works without it
}

void Watch(int epoll_fd, int fd, uint32_t events) {
  epoll_event event = {};
  event.events = events;
  event.data.fd = fd;
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

// Returns a socket that listens on `address`, or -1 and sets errno.
int ListenOn(const addrinfo& address) {
  const int fd = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  SetOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);  // and not SO_REUSEPORT: a port in use is an error, never shared
  if (address.ai_family == AF_INET6) SetOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (bind(fd, address.ai_addr, address.ai_addrlen) == 0 && listen(fd, kBacklog) == 0) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

void SetPort(sockaddr* address, int port) {
  const in_port_t value = htons(static_cast<uint16_t>(port));
  if (address->sa_family == AF_INET) reinterpret_cast<sockaddr_in*>(address)->sin_port = value;
  if (address->sa_family == AF_INET6) reinterpret_cast<sockaddr_in6*>(address)->sin6_port = value;
}

int PortOf(int fd) {
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

absl::Status CannotListen(const std::string& address, const char* why) {
  return absl::UnavailableError(absl::StrCat("cannot listen on ", address, ": ", why,
                                             "; choose another address with --listen, or stop what uses this one"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Listen(const std::string& address) {
  const std::optional<HostPort> host_port = ParseHostPort(address);
  if (!host_port.has_value()) return CannotListen(address, "not a host:port");
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host_port->host.c_str(), absl::StrCat(host_port->port).c_str(), &hints, &found);
      error != 0) {
    return CannotListen(address, gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);

  auto listener = absl::WrapUnique(new Listener);
  int error = 0;
  for (addrinfo* each = found; each != nullptr; each = each->ai_next) {
    // All addresses get the port that was picked for the first.
    if (listener->port_ != 0) SetPort(each->ai_addr, listener->port_);
    const int fd = ListenOn(*each);
    if (fd < 0) {
      error = errno;
      if (error == EADDRNOTAVAIL || error == EAFNOSUPPORT)
        continue;  // localhost often resolves to ::1 even without IPv6
      return CannotListen(address, std::strerror(error));
    }
    listener->listening_fds_.push_back(fd);
    listener->port_ = PortOf(fd);
  }
  if (listener->listening_fds_.empty()) return CannotListen(address, std::strerror(error));
  listener->epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  listener->wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (listener->epoll_fd_ < 0 || listener->wake_fd_ < 0) return CannotListen(address, std::strerror(errno));
  return listener;
}

Listener::~Listener() {
  if (thread_.joinable()) {
    Wake(State::kEnding);
    thread_.join();
  }
  CloseListening();
  if (wake_fd_ >= 0) close(wake_fd_);
  if (epoll_fd_ >= 0) close(epoll_fd_);
}

void Listener::Start(Events events) {
  events_ = std::move(events);
  Watch(epoll_fd_, wake_fd_, EPOLLIN);
  for (const int fd : listening_fds_) Watch(epoll_fd_, fd, EPOLLIN);
  thread_ = std::thread([this] { Run(); });
}

void Listener::Stop() {
  if (!thread_.joinable()) return CloseListening();
  Wake(State::kStopping);
  stopped_.WaitForNotification();
}

void Listener::Wake(State state) {
  state_ = state;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof(one));
}

void Listener::CloseListening() {
  for (const int fd : std::exchange(listening_fds_, {})) close(fd);
}

void Listener::Run() {
  pthread_setname_np(pthread_self(), "listener");
  std::array<epoll_event, 64> events;
  while (state_ != State::kEnding) {
    const bool paused = resume_at_ != absl::InfiniteFuture();
    const int ready = epoll_wait(epoll_fd_, events.data(), events.size(),
                                 paused ? static_cast<int>(absl::ToInt64Milliseconds(kPause)) : -1);
    if (paused && absl::Now() >= resume_at_) ResumeAccepting();
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      if (fd == wake_fd_) {
        uint64_t count;
        [[maybe_unused]] const ssize_t taken = read(wake_fd_, &count, sizeof(count));
      } else if (const auto connection = connections_.find(fd); connection != connections_.end()) {
        // The only event that is requested for connections is their end.
        events_.closed(connection->second);
        epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
        connections_.erase(connection);
      } else if (state_ == State::kAccepting) {
        Accept(fd);
      }
    }
    if (state_ == State::kStopping && !stopped_.HasBeenNotified()) {
      CloseListening();
      stopped_.Notify();
    }
  }
}

void Listener::Accept(int listening_fd) {
  for (;;) {
    sockaddr_storage peer = {};
    socklen_t size = sizeof(peer);
    const int fd = accept4(listening_fd, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) PauseAccepting();
      if (errno == ECONNABORTED || errno == EINTR) continue;
      return;
    }
    SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kUnacknowledgedMs);
    if (const int second = fcntl(fd, F_DUPFD_CLOEXEC, 0); second >= 0) {
      const auto connection = std::make_shared<CallerConnection>(second, PeerName(peer));
      connections_[second] = connection;
      // epoll always reports the end of both directions. Edge-triggered, so that an error before that is reported once.
      Watch(epoll_fd_, second, EPOLLET);
      events_.opened(connection);
    }
    events_.accepted(fd, listening_fd);
  }
}

// Otherwise epoll would report the level-triggered listening sockets again and again.
void Listener::PauseAccepting() {
  resume_at_ = absl::Now() + kPause;
  for (const int fd : listening_fds_) epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
}

void Listener::ResumeAccepting() {
  resume_at_ = absl::InfiniteFuture();
  for (const int fd : listening_fds_) Watch(epoll_fd_, fd, EPOLLIN);
}

}  // namespace igptd
