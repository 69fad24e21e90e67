#include "service/edge/connection_guard.h"

#include <grpc/grpc.h>
#include <grpc/support/alloc.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "service/observe/log.h"
#include "service/system/resources.h"

namespace igptd {
namespace {

// How often to look at the connections while there are any.
constexpr std::chrono::milliseconds kInterval{50};

// How many bytes that belong to no call yet a connection may have sent: enough for tens of the largest requests at
// once.
constexpr int64_t kMaxUnclaimedBytes = 64 << 20;
// How fast that count decays, since some bytes are never claimed: pings, window updates, abandoned uploads.
constexpr int64_t kForgottenPerSecond = 256 << 10;

// How much the process's memory may jump before the connection with the most unclaimed bytes is closed. kMaxOpenStreams
// calls that arrive at once take less before igptd gets the first. Growth up to kCalmGrowthPerSecond is not a jump.
constexpr int64_t kMaxSurge = 160 << 20;
constexpr int64_t kCalmGrowthPerSecond = 32 << 20;
// A connection is to blame only if it sent this many unclaimed bytes, and this many times what it sent for calls.
constexpr int64_t kMinBlamedBytes = 64 << 10;
constexpr int64_t kBlamedRatio = 8;

// Lost calls are those that, by gRPC's count, started and have not ended. If there are more than kMaxLostCalls new ones
// within kLostWindow, the connections are examined. One is closed if, between two examinations, more than
// kMaxFailedStreams of its streams failed, and most of them did.
constexpr absl::Duration kLostWindow = absl::Seconds(1);
constexpr int64_t kMaxLostCalls = 1000;
constexpr int64_t kMaxFailedStreams = 200;

// A peer has vanished if it has acknowledged nothing of what was sent again for this long. A peer that doesn't read
// acknowledges the probes of its window; TCP_USER_TIMEOUT would end its connection too.
constexpr absl::Duration kVanished = absl::Seconds(10);
constexpr int kMinUnanswered = 3;

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

// Reads a number from channelz's JSON, which writes numbers as strings ("streamsStarted":"12") and omits zeros.
int64_t NumberIn(std::string_view json, std::string_view name) {
  const std::string key = std::string("\"").append(name).append("\":\"");
  const size_t found = json.find(key);
  if (found == std::string_view::npos) return 0;
  const std::string_view rest = json.substr(found + key.size());
  int64_t number = 0;
  const std::string_view digits = rest.substr(0, rest.find('"'));
  return absl::SimpleAtoi(absl::string_view(digits.data(), digits.size()), &number) ? number : 0;
}

std::string Taken(char* json) {
  std::string text = json == nullptr ? "" : json;
  gpr_free(json);
  return text;
}

}  // namespace

ConnectionGuard::ConnectionGuard() : thread_([this] { Run(); }) {}

ConnectionGuard::~ConnectionGuard() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void ConnectionGuard::Opened(std::shared_ptr<CallerConnection> connection) {
  const std::lock_guard lock(mutex_);
  if (connections_.empty()) changed_.notify_one();
  connections_.insert(std::move(connection));
}

void ConnectionGuard::Closed(const std::shared_ptr<CallerConnection>& connection) {
  const std::lock_guard lock(mutex_);
  connections_.erase(connection);
}

void ConnectionGuard::Run() {
  pthread_setname_np(pthread_self(), "guard");
  for (;;) {
    Connections connections;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !connections_.empty(); });
      if (changed_.wait_for(lock, kInterval, [this] { return stopping_; })) return;
      connections = connections_;
    }
    Look(connections);
  }
}

void ConnectionGuard::Look(const Connections& connections) {
  const auto now = igpt::MonotonicTime::Now();
  const absl::Duration passed = std::min(now - looked_at_, absl::Seconds(1));
  looked_at_ = now;
  Count(connections, passed);

  const int64_t memory = ReadProcessMemory().value_or(ProcessMemory()).resident;
  const auto calm_growth = static_cast<int64_t>(absl::ToDoubleSeconds(passed) * kCalmGrowthPerSecond);
  calm_memory_ = calm_memory_ == 0 ? memory : std::min(memory, calm_memory_ + calm_growth);
  if (memory - calm_memory_ > kMaxSurge) EndHeaviest(connections);

  const std::string server = Taken(grpc_channelz_get_servers(0));
  const int64_t lost =
      NumberIn(server, "callsStarted") - NumberIn(server, "callsSucceeded") - NumberIn(server, "callsFailed");
  if (now - lost_since_ > kLostWindow) {
    lost_since_ = now;
    lost_calls_ = lost;
  }
  if (lost - lost_calls_ > kMaxLostCalls) EndResetting(connections);
}

// Also forgets connections that are gone.
void ConnectionGuard::Count(const Connections& connections, absl::Duration passed) {
  ++look_;
  const auto forgotten = static_cast<int64_t>(absl::ToDoubleSeconds(passed) * kForgottenPerSecond);
  for (const auto& connection : connections) {
    Watched& watched = watched_[connection];
    watched.look = look_;
    const tcp_info info = TcpInfoOf(connection->fd());
    if (Unanswered(info) == 0) watched.answered_at = looked_at_;
    if (!watched.ended && Unanswered(info) >= kMinUnanswered && looked_at_ - watched.answered_at >= kVanished) {
      watched.ended = true;
      LogLine(LogLevel::kDebug, "closing the connection of a peer that vanished").With("peer", connection->peer());
      connection->End();
    }
    const uint64_t received = info.tcpi_bytes_received;
    const int64_t claimed = connection->TakeClaimed();
    watched.lately_claimed = watched.lately_claimed / 2 + claimed;
    watched.unclaimed += static_cast<int64_t>(received - watched.received) - claimed - forgotten;
    watched.unclaimed = std::max<int64_t>(watched.unclaimed, 0);
    watched.received = received;
    if (!watched.ended && watched.unclaimed > kMaxUnclaimedBytes) {
      End(*connection, watched, "it sent too many bytes that belong to no call");
    }
  }
  absl::erase_if(watched_, [this](const auto& entry) { return entry.second.look != look_; });
}

void ConnectionGuard::EndHeaviest(const Connections& connections) {
  std::shared_ptr<CallerConnection> heaviest;
  int64_t most = kMinBlamedBytes;
  for (const auto& connection : connections) {
    const Watched& watched = watched_[connection];
    if (watched.ended || watched.unclaimed < most || watched.unclaimed < kBlamedRatio * watched.lately_claimed)
      continue;
    heaviest = connection;
    most = watched.unclaimed;
  }
  if (heaviest == nullptr) return;
  End(*heaviest, watched_[heaviest], "memory grew while it sent bytes that belong to no call");
}

void ConnectionGuard::EndResetting(const Connections& connections) {
  absl::flat_hash_map<std::string, std::shared_ptr<CallerConnection>> by_peer;
  for (const auto& connection : connections) by_peer[connection->peer()] = connection;
  const int64_t server = NumberIn(Taken(grpc_channelz_get_servers(0)), "serverId");
  constexpr int kMaxSockets = 500;
  for (int64_t next = 0;;) {
    const std::string page = Taken(grpc_channelz_get_server_sockets(server, next, kMaxSockets));
    size_t at = 0;
    // {"socketRef":[{"name":"chttp2 ipv4:127.0.0.1:35950","socketId":"5"},…]}
    constexpr std::string_view kName = R"("name":"chttp2 )";
    while ((at = page.find(kName, at)) != std::string::npos) {
      at += kName.size();
      const std::string peer = page.substr(at, page.find('"', at) - at);
      const int64_t socket = NumberIn(std::string_view(page).substr(at), "socketId");
      next = std::max(next, socket + 1);
      const auto found = by_peer.find(peer);
      if (found == by_peer.end()) continue;
      Watched& watched = watched_[found->second];
      const std::string streams = Taken(grpc_channelz_get_socket(socket));
      const int64_t started = NumberIn(streams, "streamsStarted");
      const int64_t failed = NumberIn(streams, "streamsFailed");
      const int64_t more_failed = failed - watched.streams_failed;
      const bool recent = looked_at_ - watched.examined_at < 2 * kLostWindow;
      if (recent && !watched.ended && more_failed > kMaxFailedStreams &&
          2 * more_failed > started - watched.streams_started) {
        End(*found->second, watched, "it resets calls as fast as it starts them");
      }
      // Clients that obey the limit in our SETTINGS never get here.
      const int64_t open = started - failed - NumberIn(streams, "streamsSucceeded");
      if (!watched.ended && open > kMaxOpenStreams) {
        End(*found->second, watched, "it has too many open calls");
      }
      watched.streams_started = started;
      watched.streams_failed = failed;
      watched.examined_at = looked_at_;
    }
    if (page.find("\"end\":true") != std::string::npos || page.find(kName) == std::string::npos) return;
  }
}

void ConnectionGuard::End(CallerConnection& connection, Watched& watched, const char* why) {
  watched.ended = true;
  LogLine(LogLevel::kWarn, "closing an abusive connection").With("peer", connection.peer()).With("why", why);
  connection.End();
  ended_.Increment();
}

}  // namespace igptd
