#include "service/edge/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "igpt/monotonic_time.h"
#include "service/observe/log.h"
#include "service/system/host_port.h"
#include "service/system/listening_socket.h"

namespace igptd {
namespace {

// How long to accept nothing when there are no file descriptors left. Callers wait in the backlog meanwhile.
constexpr absl::Duration kPause = absl::Milliseconds(100);

// How many connections to accept before connections that ended have their turn.
constexpr int kAcceptedAtOnce = 64;

template <typename T>
void SetOption(int fd, int level, int name, T value) {
  setsockopt(fd, level, name, &value, sizeof(value));  // the connection works without it
}

// The peer is told by a reset, and no state is kept.
void CloseAtOnce(int fd) {
  SetOption(fd, SOL_SOCKET, SO_LINGER, linger{.l_onoff = 1, .l_linger = 0});
  close(fd);
}

// An eighth of the file descriptors, of which a connection takes two: then one address leaves three quarters to others.
size_t MostPerAddress() {
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  return std::min<size_t>(limit.rlim_cur / 8, kMaxConnectionsPerAddress);
}

void SetPort(sockaddr* address, int port) {
  const in_port_t value = htons(static_cast<uint16_t>(port));
  if (address->sa_family == AF_INET) reinterpret_cast<sockaddr_in*>(address)->sin_port = value;
  if (address->sa_family == AF_INET6) reinterpret_cast<sockaddr_in6*>(address)->sin6_port = value;
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
  const AddressList addresses(found, &freeaddrinfo);

  absl::StatusOr<std::unique_ptr<igpt::unstable::EventLoop>> loop = igpt::unstable::EventLoop::Create();
  if (!loop.ok()) return loop.status();
  auto listener = absl::WrapUnique(new Listener(*std::move(loop)));
  int error = 0;
  for (addrinfo* each = found; each != nullptr; each = each->ai_next) {
    // All addresses get the port that was picked for the first.
    if (listener->port_ != 0) SetPort(each->ai_addr, listener->port_);
    const int fd = ListenOn(*each, SOCK_NONBLOCK);
    if (fd < 0) {
      error = errno;
      if (error == EADDRNOTAVAIL || error == EAFNOSUPPORT) continue;  // localhost often is ::1 too, even without IPv6
      return CannotListen(address, std::strerror(error));
    }
    listener->listening_fds_.push_back(fd);
    listener->port_ = PortOf(fd);
  }
  if (listener->listening_fds_.empty()) return CannotListen(address, std::strerror(error));
  return listener;
}

// epoll always reports the end of both directions. Edge-triggered, so that an error before that is reported once.
Listener::Open::Open(std::shared_ptr<CallerConnection> its_connection, igpt::unstable::EventLoop& loop,
                     absl::AnyInvocable<void()> on_end)
    : connection(std::move(its_connection)), watch(loop, connection->fd(), EPOLLET, std::move(on_end)) {}

Listener::Listener(std::unique_ptr<igpt::unstable::EventLoop> loop) : loop_(std::move(loop)) {}

Listener::~Listener() {
  RunOnLoop([this] {
    CloseListening();
    connections_.clear();
  });
}

void Listener::RunOnLoop(const std::function<void()>& function) {
  absl::Notification done;
  loop_->Post([&] {
    function();
    done.Notify();
  });
  done.WaitForNotification();
}

void Listener::Start(Events events) {
  events_ = std::move(events);
  loop_->Post([this] {
    pthread_setname_np(pthread_self(), "listener");
    resume_ = std::make_unique<igpt::unstable::EventLoop::Timer>(*loop_, [this] { ResumeAccepting(); });
    ResumeAccepting();
  });
}

void Listener::Stop() {
  RunOnLoop([this] { CloseListening(); });
}

void Listener::CloseListening() {
  resume_.reset();
  accepting_.clear();
  for (const int fd : std::exchange(listening_fds_, {})) close(fd);
}

void Listener::ResumeAccepting() {
  for (const int fd : listening_fds_) {
    accepting_.push_back(std::make_unique<Watch>(*loop_, fd, EPOLLIN, [this, fd] { Accept(fd); }));
  }
}

// Otherwise epoll would report the level-triggered listening sockets again and again.
void Listener::PauseAccepting() {
  loop_->Defer([this] { accepting_.clear(); });  // one of them is what runs
  resume_->Arm(kPause);
}

void Listener::Accept(int listening_fd) {
  for (int i = 0; i < kAcceptedAtOnce; ++i) {
    sockaddr_storage peer = {};
    socklen_t size = sizeof(peer);
    const int fd = accept4(listening_fd, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) PauseAccepting();
      if (errno == ECONNABORTED || errno == EINTR) continue;
      return;
    }
    std::string name = PeerName(peer);
    if (!IsWelcome(name)) {
      CloseAtOnce(fd);
      continue;
    }
    const int second = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (second < 0) {
      networks_.Disconnected(NetworkOf(HostOf(name)));
      CloseAtOnce(fd);
      return PauseAccepting();
    }
    SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    auto connection = std::make_shared<CallerConnection>(second, std::move(name));
    connections_[second] = std::make_unique<Open>(connection, *loop_, [this, second] { OnEnd(second); });
    events_.opened(std::move(connection));
    events_.accepted(fd, listening_fd);
  }
}

bool Listener::IsWelcome(const std::string& peer) {
  switch (networks_.Connected(NetworkOf(HostOf(peer)), MostPerAddress(), igpt::MonotonicTime::Now())) {
    case Networks::Verdict::kWelcome:
      return true;
    case Networks::Verdict::kWaits:
      refused_waiting_.Increment();
      return false;
    case Networks::Verdict::kTooMany:
      refused_too_many_.Increment();
      return false;
  }
  return false;
}

void Listener::OnEnd(int fd) {
  const auto found = connections_.find(fd);
  if (found == connections_.end()) return;
  const CallerConnection& connection = *found->second->connection;
  const std::string network = NetworkOf(HostOf(connection.peer()));
  networks_.Disconnected(network);
  if (connection.why_cut_off() != nullptr) {
    const absl::Duration wait = networks_.CutOff(network, igpt::MonotonicTime::Now());
    cut_off_.Increment();
    LogLine(LogLevel::kWarn, "closed an abusive connection")
        .With("peer", connection.peer())
        .With("why", connection.why_cut_off())
        .With("wait", wait);
  }
  events_.closed(found->second->connection);
  // Its watch is what runs. Until then its descriptor stays open, so no other connection gets that number.
  loop_->Defer([open = std::move(found->second)] {});
  connections_.erase(found);
}

}  // namespace igptd
