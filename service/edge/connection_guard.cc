#include "service/edge/connection_guard.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "service/observe/log.h"
#include "service/system/resources.h"

namespace igptd {
namespace {

// How often to look at the connections while there are any: a look takes a microsecond for each.
constexpr std::chrono::microseconds kInterval{20'000};
constexpr std::chrono::microseconds kIntervalPerConnection{20};

// What may have arrived on a connection and belong to nothing that igptd knows of: the requests that are being
// received, the first window of those that wait for that, and some more: pings, window updates, calls that were reset,
// and the rest of a message that is over the limit, whose caller is to learn that.
constexpr int64_t kMaxRequestBytes = (4 << 20) + (256 << 10);
constexpr int64_t kWindowBytes = 64 << 10;
constexpr int64_t kMaxExcessBytes = 1 << 20;
constexpr int64_t kMaxExcessOfRequests = 16 << 20;
// How fast bytes that were never claimed are forgotten.
constexpr int64_t kForgottenPerSecond = 256 << 10;

// How much the process's memory may jump before the connection with the most excess bytes is closed, if they can be the
// reason: headers take up to 32 times as much memory as bytes on the wire. Answers and other callers make memory jump
// too, and for that nobody is to blame. Growth up to kCalmGrowthPerSecond is not a jump.
constexpr int64_t kMaxSurge = 160 << 20;
constexpr int64_t kCalmGrowthPerSecond = 32 << 20;
constexpr int64_t kMemoryPerByte = 32;

// How many calls may wait for their loops, over all connections, before the connection with most of them is closed. One
// takes some 20 KB.
constexpr int64_t kMaxWaiting = int64_t{2} * kMaxOpenStreams;

// A peer has vanished if it has acknowledged nothing of what was sent again for this long. A peer that doesn't read
// acknowledges the probes of its window; TCP_USER_TIMEOUT would end its connection too.
constexpr absl::Duration kVanished = absl::Seconds(10);
constexpr int kMinUnanswered = 3;

// How many connections without calls to close at a look while file descriptors are short. Those of known callers last.
constexpr size_t kIdleEndedAtOnce = 100;
// For how long it must have had none: a call that is sent at that moment fails. One that never had any goes sooner.
constexpr absl::Duration kIdle = absl::Seconds(10);
constexpr absl::Duration kUnused = absl::Milliseconds(500);

// All zero if the connection has ended.
tcp_info TcpInfoOf(int fd) {
  tcp_info info = {};
  socklen_t size = sizeof(info);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
  return info;
}

// How many retransmissions and probes in a row are unanswered.
int Unanswered(const tcp_info& info) {
  return info.tcpi_retransmits + info.tcpi_probes;
}

// How many bytes may have arrived of the requests that are on their way.
int64_t Expected(const CallerConnection::Calls& calls) {
  const int64_t receiving = calls.receiving;
  return receiving * kMaxRequestBytes + std::max<int64_t>(calls.arriving - receiving, 0) * kWindowBytes;
}

}  // namespace

ConnectionGuard::ConnectionGuard(const Connections& connections, Events events)
    : connections_(connections), events_(std::move(events)), thread_([this] { Run(); }) {}

ConnectionGuard::~ConnectionGuard() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void ConnectionGuard::Wake() {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(awake_, true)) changed_.notify_one();
}

void ConnectionGuard::Run() {
  pthread_setname_np(pthread_self(), "guard");
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      const size_t connections = connections_.size();
      awake_ = connections > 0;
      changed_.wait(lock, [this] { return stopping_ || awake_; });
      if (changed_.wait_for(lock, kInterval + connections * kIntervalPerConnection, [this] { return stopping_; }))
        return;
    }
    Look();
  }
}

void ConnectionGuard::Look() {
  const auto now = igpt::MonotonicTime::Now();
  const absl::Duration passed = std::min(now - looked_at_, absl::Seconds(1));
  looked_at_ = now;
  const All connections = connections_.All();
  Count(connections, passed);

  const int64_t memory = ReadProcessMemory().value_or(ProcessMemory()).resident;
  const auto calm_growth = static_cast<int64_t>(absl::ToDoubleSeconds(passed) * kCalmGrowthPerSecond);
  calm_memory_ = calm_memory_ == 0 ? memory : std::min(memory, calm_memory_ + calm_growth);
  if (memory - calm_memory_ > kMaxSurge) EndHeaviest(connections, memory - calm_memory_);

  if (events_.descriptors_are_short()) EndIdle(connections);
}

// Also forgets connections that are gone.
void ConnectionGuard::Count(const All& connections, absl::Duration passed) {
  ++look_;
  const double seconds = absl::ToDoubleSeconds(passed);
  offences_to_forget_ += seconds * kForgottenOffencesPerSecond;
  const int offences = static_cast<int>(offences_to_forget_);
  offences_to_forget_ -= offences;
  const auto forgotten = static_cast<int64_t>(seconds * kForgottenPerSecond);
  bool traffic = false;
  int64_t waiting = 0;
  std::shared_ptr<CallerConnection> most_waiting;
  for (const auto& connection : connections) {
    Watched& watched = watched_[connection];
    if (watched.look == 0) watched.opened_at = looked_at_;
    watched.look = look_;
    const tcp_info info = TcpInfoOf(connection->fd());
    if (Unanswered(info) == 0) watched.answered_at = looked_at_;
    if (!watched.ended && Unanswered(info) >= kMinUnanswered && looked_at_ - watched.answered_at >= kVanished) {
      watched.ended = true;
      LogLine(LogLevel::kDebug, "closing the connection of a peer that vanished").With("peer", connection->peer());
      connection->End();
    }
    const CallerConnection::Calls& calls = connection->calls();
    const uint64_t received = info.tcpi_bytes_received;
    const int64_t claimed = connection->TakeClaimed();
    traffic = traffic || received > watched.received;
    watched.unclaimed += static_cast<int64_t>(received - watched.received) - claimed - forgotten;
    watched.unclaimed = std::max<int64_t>(watched.unclaimed, 0);
    watched.excess = watched.unclaimed - Expected(calls);
    watched.received = received;
    if (calls.open > 0 || claimed > 0) watched.used_at = looked_at_;  // a short call is over by now
    if (watched.excess > (calls.arriving > 0 ? kMaxExcessOfRequests : kMaxExcessBytes)) {
      CutOff(*connection, watched, "it sent too many bytes that belong to no call");
    }
    connection->ForgetOffences(offences);
    waiting += calls.waiting;
    if (most_waiting == nullptr || calls.waiting > most_waiting->calls().waiting) most_waiting = connection;
  }
  absl::erase_if(watched_, [this](const auto& entry) { return entry.second.look != look_; });
  if (waiting > kMaxWaiting)
    CutOff(*most_waiting, watched_[most_waiting], "it sent calls faster than igptd takes them");
  if (traffic) events_.traffic();
}

void ConnectionGuard::EndHeaviest(const All& connections, int64_t surge) {
  std::shared_ptr<CallerConnection> heaviest;
  int64_t most = surge / kMemoryPerByte;
  for (const auto& connection : connections) {
    const Watched& watched = watched_[connection];
    if (watched.ended || watched.excess < most) continue;
    heaviest = connection;
    most = watched.excess;
  }
  if (heaviest == nullptr) return;
  CutOff(*heaviest, watched_[heaviest], "memory grew while it sent bytes that belong to no call");
}

void ConnectionGuard::EndIdle(const All& connections) {
  All idle;
  for (const auto& connection : connections) {
    const Watched& watched = watched_[connection];
    const bool used = watched.used_at != igpt::MonotonicTime::InfinitePast();
    const bool is_idle = looked_at_ - (used ? watched.used_at : watched.opened_at) > (used ? kIdle : kUnused);
    if (!watched.ended && connection->calls().open == 0 && is_idle) idle.push_back(connection);
  }
  const auto goes_first = [this](const auto& a, const auto& b) {
    if (a->known() != b->known()) return b->known();
    return watched_[a].used_at < watched_[b].used_at;
  };
  const size_t count = std::min(idle.size(), kIdleEndedAtOnce);
  std::partial_sort(idle.begin(), idle.begin() + static_cast<ptrdiff_t>(count), idle.end(), goes_first);
  for (size_t i = 0; i < count; ++i) {
    watched_[idle[i]].ended = true;
    idle[i]->End();
  }
  if (count > 0)
    LogLine(LogLevel::kWarn, "closed connections without calls: file descriptors are short")
        .With("count", static_cast<int64_t>(count));
}

void ConnectionGuard::CutOff(CallerConnection& connection, Watched& watched, const char* why) {
  if (!std::exchange(watched.ended, true)) connection.CutOff(why);
}

}  // namespace igptd
