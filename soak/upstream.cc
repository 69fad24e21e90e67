#include "soak/upstream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "igpt/testing/http_message.h"
#include "igpt/testing/internal/request_head.h"
#include "nlohmann/json.hpp"

namespace igpt::soak {
namespace {

using testing::UniqueFd;

// epoll data other than connection numbers.
constexpr uint64_t kListener = 0;
constexpr uint64_t kWake = UINT64_MAX;

// A flood that is not read for this long counts as held back.
constexpr absl::Duration kHeldBack = absl::Milliseconds(50);
// Small, so that a stopped reader is noticed soon.
constexpr int kSendBufferBytes = 64 << 10;

int Must(int result, const char* call) {
  if (result < 0) {
    std::perror(call);
    std::abort();
  }
  return result;
}

UniqueFd Bind(int port) {
  UniqueFd socket(Must(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = {.sin_family = AF_INET,
                               .sin_port = htons(static_cast<uint16_t>(port)),
                               .sin_addr = {htonl(INADDR_LOOPBACK)},
                               .sin_zero = {}};
  Must(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  return socket;
}

int PortOf(int socket) {
  sockaddr_in address = {};
  socklen_t size = sizeof address;
  Must(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  return ntohs(address.sin_port);
}

uint32_t UserOf(const nlohmann::json& body) {
  uint32_t user = UINT32_MAX;
  const std::string name = body.is_object() ? body.value("user", "") : "";
  if (name.rfind("user-", 0) != 0 || !absl::SimpleAtoi(name.substr(5), &user)) return UINT32_MAX;
  return user;
}

}  // namespace

struct Upstream::Connection {
  uint64_t number = 0;
  UniqueFd socket;
  std::string in;

  // While a request is answered:
  std::optional<size_t> attempt;
  CallPlan plan;
  Mark mark;  // of the next event of a flood
  Script script;
  size_t step = 0;
  std::string out;
  int whole_events = 0;  // once `out` is empty
  bool told = false;     // on_moment was called
  bool closing = false;  // our side is closed
  bool wants_write = false;
  std::multimap<MonotonicTime, uint64_t>::iterator timer;
  bool has_timer = false;
};

Upstream::Upstream(uint64_t seed, Recorder& recorder, OnMoment on_moment)
    : seed_(seed),
      recorder_(recorder),
      on_moment_(std::move(on_moment)),
      holder_(Bind(0)),
      port_(PortOf(holder_.get())),
      epoll_(Must(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_(Must(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = kWake}};
  Must(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event), "epoll_ctl");
  Listen();
  server_ = std::thread([this] { Serve(); });
}

Upstream::~Upstream() {
  stopping_ = true;
  Must(::eventfd_write(wake_.get(), 1), "eventfd_write");
  server_.join();
}

void Upstream::SetKey(std::string key) {
  const std::lock_guard lock(keys_mutex_);
  if (!keys_.empty()) keys_.back().until = MonotonicTime::Now() + kKeyGrace;
  keys_.push_back({std::move(key)});
}

void Upstream::CheckKey(const std::string& authorization) {
  const std::lock_guard lock(keys_mutex_);
  const MonotonicTime now = MonotonicTime::Now();
  for (const Key& key : keys_) {
    if (authorization != "Bearer " + key.key) continue;
    if (now <= key.until) return;
    recorder_.AddIncident(absl::StrCat("the key ", key.key, " was used ", absl::FormatDuration(now - key.until),
                                       " after its last moment"));
    return;
  }
  recorder_.AddIncident("a key that never was one: " + authorization);
}

void Upstream::Refuse(bool refuse) {
  refuse_ = refuse;
  Must(::eventfd_write(wake_.get(), 1), "eventfd_write");
}

void Upstream::Listen() {
  listener_ = Bind(port_);
  Must(::listen(listener_.get(), SOMAXCONN), "listen");
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = kListener}};
  Must(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), &event), "epoll_ctl");
}

void Upstream::Serve() {
  while (!stopping_) {
    int timeout = -1;
    if (!timers_.empty()) {
      timeout = static_cast<int>(std::max<int64_t>(
          0,
          absl::ToInt64Milliseconds(absl::Ceil(timers_.begin()->first - MonotonicTime::Now(), absl::Milliseconds(1)))));
    }
    epoll_event events[64];
    const int count = ::epoll_wait(epoll_.get(), events, 64, timeout);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == kListener) {
        Accept();
      } else if (events[i].data.u64 == kWake) {
        eventfd_t ignored;
        ::eventfd_read(wake_.get(), &ignored);
        if (refuse_ && listener_.get() >= 0) {
          recorder_.OutageBegins();
          listener_.Close();
        } else if (!refuse_ && listener_.get() < 0) {
          Listen();
          recorder_.OutageEnds();
        }
      } else if (const auto found = connections_.find(events[i].data.u64); found != connections_.end()) {
        Connection& connection = *found->second;
        if ((events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
          Drop(connection);
          continue;
        }
        if ((events[i].events & EPOLLIN) != 0) Read(connection);
        // Reading may have ended the connection.
        if ((events[i].events & EPOLLOUT) != 0 && connections_.count(events[i].data.u64) > 0) Go(connection);
      }
    }
    while (!timers_.empty() && timers_.begin()->first <= MonotonicTime::Now()) {
      Connection& connection = *connections_.at(timers_.begin()->second);
      timers_.erase(timers_.begin());
      connection.has_timer = false;
      OnTimer(connection);
    }
  }
}

void Upstream::Accept() {
  UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket.get() < 0) return;
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
  auto connection = std::make_unique<Connection>();
  connection->number = next_connection_++;
  connection->socket = std::move(socket);
  epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data = {.u64 = connection->number}};
  Must(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection->socket.get(), &event), "epoll_ctl");
  connections_.emplace(connection->number, std::move(connection));
}

void Upstream::Read(Connection& connection) {
  char buffer[16 << 10];
  const ssize_t size = ::recv(connection.socket.get(), buffer, sizeof buffer, 0);
  if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) return Drop(connection);
  if (size < 0 || connection.closing) return;
  connection.in.append(buffer, static_cast<size_t>(size));
  const size_t end = connection.in.find("\r\n\r\n");
  if (end == std::string::npos) return;
  const std::string head = connection.in.substr(0, end + 4);
  const std::optional<testing::HttpRequest> request = testing::ParseHead(head);
  size_t length = 0;
  if (!request || !absl::SimpleAtoi(request->Header("Content-Length").value_or("0"), &length)) {
    recorder_.AddIncident("a request that is none: " + head.substr(0, 200));
    return Drop(connection);
  }
  if (connection.in.size() < head.size() + length) return;
  const std::string body = connection.in.substr(head.size(), length);
  connection.in.erase(0, head.size() + length);
  Begin(connection, head, body);
}

void Upstream::Begin(Connection& connection, const std::string& head, const std::string& body) {
  const testing::HttpRequest request = *testing::ParseHead(head);
  CheckKey(request.Header("Authorization").value_or(""));
  const std::optional<uint32_t> call = CallOf(request.Header("X-Request-Id").value_or(""));
  const nlohmann::json json = nlohmann::json::parse(body, /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (!call.has_value() || connection.attempt.has_value()) {
    recorder_.AddIncident("a request of no call, or within another: " + head.substr(0, 200));
    return Drop(connection);
  }
  connection.plan = PlanOf(seed_, *call);
  if (connection.plan.rpc == Rpc::kAsk && json.is_object() && json.value("input", "") != NameOf(*call)) {
    recorder_.AddIncident("the input of another call: " + body.substr(0, 200));
  }
  if (IsRun(connection.plan) != absl::EndsWith(request.target, "/recall/run/")) {
    recorder_.AddIncident("the endpoint of another call: " + request.target);
  }
  int number = 0;
  const CallPlan& plan = connection.plan;
  connection.attempt = recorder_.Arrived(
      *call, [&plan](int attempt) { return FaultOf(plan, attempt); }, &number);
  connection.mark = {*call, UserOf(json), static_cast<uint32_t>(number), 0};
  connection.script = ScriptOf(plan, connection.mark);
  connection.mark.seq = 1;
  connection.step = 0;
  connection.whole_events = 0;
  connection.told = false;
  connection.out.clear();
  Go(connection);
}

// Continues the script as far as possible now.
void Upstream::Go(Connection& connection) {
  if (!connection.attempt.has_value() || connection.has_timer) {
    if (!connection.out.empty()) Flush(connection);
    return;
  }
  for (;;) {
    if (!Flush(connection)) return;
    if (connection.step == connection.script.steps.size()) break;
    Step& step = connection.script.steps[connection.step];
    if (step.delay > absl::ZeroDuration()) return SetTimer(connection, std::exchange(step.delay, {}));
    connection.out = std::move(step.bytes);
    connection.whole_events = step.whole_events;
    ++connection.step;
  }
  switch (connection.script.end) {
    case Script::End::kKeepAlive:
      if (connection.plan.cancel == Cancel::kRetryDelay) on_moment_(connection.plan.call);
      return EndAttempt(connection, Attempt::End::kDone);
    case Script::End::kFin:
      connection.closing = true;
      ::shutdown(connection.socket.get(), SHUT_WR);
      return EndAttempt(connection, Attempt::End::kDone);
    case Script::End::kRst: {
      const linger no_linger = {.l_onoff = 1, .l_linger = 0};
      ::setsockopt(connection.socket.get(), SOL_SOCKET, SO_LINGER, &no_linger, sizeof no_linger);
      EndAttempt(connection, Attempt::End::kDone);
      return Drop(connection);
    }
    case Script::End::kStall:
      if (!std::exchange(connection.told, true)) on_moment_(connection.plan.call);
      return;
    case Script::End::kFlood:
      return Flood(connection);
  }
}

bool Upstream::Flush(Connection& connection) {
  size_t sent = 0;
  while (sent < connection.out.size()) {
    const ssize_t size =
        ::send(connection.socket.get(), connection.out.data() + sent, connection.out.size() - sent, MSG_NOSIGNAL);
    if (size < 0) break;  // full, or gone, which epoll reports
    sent += static_cast<size_t>(size);
  }
  connection.out.erase(0, sent);
  const bool all = connection.out.empty();
  if (all && connection.attempt.has_value()) recorder_.Sent(*connection.attempt, connection.whole_events);
  if (all == connection.wants_write) {
    connection.wants_write = !all;
    const uint32_t events = EPOLLIN | EPOLLRDHUP | (all ? 0U : static_cast<uint32_t>(EPOLLOUT));
    epoll_event event = {.events = events, .data = {.u64 = connection.number}};
    Must(::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.socket.get(), &event), "epoll_ctl");
  }
  return all;
}

// Sends as much as the socket accepts. If that is nothing for a while, the reader has stopped.
void Upstream::Flood(Connection& connection) {
  constexpr int kEventsPerTurn = 32;
  for (int i = 0; i < kEventsPerTurn; ++i) {
    connection.out = FloodEvent(connection.plan, connection.mark);
    ++connection.mark.seq;
    ++connection.whole_events;
    if (!Flush(connection)) break;
  }
  // A cancel after some events needs a caller that can keep up, so the flood isn't faster than necessary.
  const bool full = connection.wants_write;
  SetTimer(connection, full ? kHeldBack : absl::Milliseconds(connection.plan.cancel == Cancel::kPaused ? 0 : 2));
}

void Upstream::OnTimer(Connection& connection) {
  if (connection.script.end == Script::End::kFlood && connection.wants_write) {
    if (connection.plan.cancel == Cancel::kPaused && !std::exchange(connection.told, true)) {
      on_moment_(connection.plan.call);
    }
    return;  // continues when the socket has room
  }
  Go(connection);
}

void Upstream::EndAttempt(Connection& connection, Attempt::End end) {
  if (connection.attempt.has_value()) recorder_.Ended(*std::exchange(connection.attempt, std::nullopt), end);
}

void Upstream::Drop(Connection& connection) {
  EndAttempt(connection, Attempt::End::kClosedByPeer);
  if (connection.has_timer) timers_.erase(connection.timer);
  connections_.erase(connection.number);
}

void Upstream::SetTimer(Connection& connection, absl::Duration delay) {
  connection.timer = timers_.emplace(MonotonicTime::Now() + delay, connection.number);
  connection.has_timer = true;
}

}  // namespace igpt::soak
