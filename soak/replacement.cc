#include "soak/replacement.h"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "soak/health_check.h"
#include "tests/support/loopback.h"
#include "tests/support/memory.h"

namespace igpt::soak {
namespace {

using testing::Greeting;
using testing::IgptdProcess;
using testing::Subprocess;
using testing::UniqueFd;

constexpr char kHaproxy[] = "/usr/sbin/haproxy";

constexpr absl::Duration kKeyInterval = absl::Seconds(4);
constexpr absl::Duration kClockInterval = absl::Seconds(3);
constexpr absl::Duration kOutageInterval = absl::Seconds(7);
constexpr absl::Duration kOutage = absl::Milliseconds(250);
constexpr absl::Duration kReplaceInterval = absl::Seconds(2);
// Longer than haproxy takes to notice, which is two checks, 200 ms apart.
constexpr absl::Duration kDrainDelay = absl::Seconds(6);
constexpr absl::Duration kDrainTimeout = absl::Seconds(20);
constexpr absl::Duration kStateInterval = absl::Milliseconds(20);

// How far the clock is set, in turn.
constexpr absl::Duration kClockSteps[] = {-absl::Seconds(10), absl::Seconds(10), absl::Hours(1), -absl::Hours(1)};

// What igptd may take at most: more than any attack takes (tests/hostile/bounds.h), but less than a gzip bomb does,
// unpacked. Not checked under sanitizers, which take memory of their own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kMaxMemory = SIZE_MAX;
#else
constexpr size_t kMaxMemory = size_t{768} << 20;
#endif

bool Listens(int port) {
  return testing::ConnectToLoopback(port).get() >= 0;
}

std::string Local(int port) {
  return absl::StrCat("127.0.0.1:", port);
}

}  // namespace

Replacement::Replacement(std::string directory, Upstream& upstream, Recorder& recorder)
    : directory_(std::move(directory)),
      upstream_(upstream),
      recorder_(recorder),
      proxy_(upstream.port(), authority_.Issue({.begins = -absl::Hours(24), .ends = absl::Hours(24)}),
             Greeting::kConnect) {
  const std::string ca_file = directory_ + "/ca";
  std::ofstream(ca_file) << authority_.Pem();
  const std::string url = absl::StrCat("://", Local(upstream.port()), "/v1");
  servers_[0].name = "a";
  servers_[0].way = {"--igpt_base_url=http" + url};
  servers_[1].name = "b";
  servers_[1].way = {"--igpt_base_url=https" + url, "--igpt_proxy=http://" + Local(proxy_.port()),
                     "--igpt_ca_file=" + ca_file};
  for (Server& server : servers_) server.holder = testing::HoldPort(&server.port);
  // The hash is from sha256sum.
  std::ofstream(directory_ + "/callers") << R"({"callers": [{"name": ")" << kCaller << R"(", "users": {"any": true},
      "token_sha256": ["16218da2f48ef248dab01b6d1a31a62720d463fbb3f61e3071c333ae97388576"]}]})";
  ChangeKey();
}

Replacement::~Replacement() {
  Stop();
}

absl::Status Replacement::Start(bool behind_haproxy) {
  if (absl::Status started = StartServer(servers_[0]); !started.ok()) return started;
  target_ = Local(servers_[0].port);
  if (!behind_haproxy) return absl::OkStatus();
  if (absl::Status started = StartServer(servers_[1]); !started.ok()) return started;
  return StartHaproxy();
}

std::vector<std::string> Replacement::addresses() const {
  std::vector<std::string> addresses;
  for (const Server& server : servers_) addresses.push_back(Local(server.port));
  return addresses;
}

absl::Status Replacement::StartServer(Server& server) {
  std::vector<std::string> flags = {
      "--listen=" + Local(server.port),
      "--igpt_api_key_file=" + directory_ + "/key",
      "--callers_file=" + directory_ + "/callers",
      "--first_byte_timeout=4s",
      "--idle_timeout=4s",
      "--max_answer_bytes=1GiB",
      "--drain_delay=" + absl::FormatDuration(kDrainDelay),
      "--drain_timeout=" + absl::FormatDuration(kDrainTimeout),
      "--log_format=json",
  };
  flags.insert(flags.end(), server.way.begin(), server.way.end());
  auto started = IgptdProcess::Start(flags, clock_.Environment());
  if (!started.ok()) return started.status();
  server.process = *std::move(started);
  return absl::OkStatus();
}

void Replacement::StopServer(Server& server) {
  if (server.process == nullptr) return;
  if (const size_t peak = testing::PeakMemory(server.process->pid()); peak > kMaxMemory) {
    recorder_.AddIncident(absl::StrCat("igptd took ", peak >> 20, " MiB"));
  }
  const MonotonicTime drain_begin = MonotonicTime::Now();
  server.process->Signal(SIGTERM);
  const std::optional<int> code = server.process->AwaitExit(kDrainDelay + kDrainTimeout + absl::Seconds(10));
  if (code != 0) recorder_.AddIncident(absl::StrCat("igptd exited with ", code.value_or(-1)));
  recorder_.AddDrain({drain_begin, MonotonicTime::Now()});
  recorder_.AddLog(server.process->Stderr());
  server.process.reset();
}

// haproxy balances connections, not HTTP/2 requests, so that only igptd moves its callers to the other server, as
// behind a Kubernetes Service. (Besides, haproxy 2.6 was seen to close a connection with all its calls when gRPC
// C++ 1.51 cancelled a call before its headers were written.)
absl::Status Replacement::StartHaproxy() {
  int port = 0;
  const UniqueFd holder = testing::HoldPort(&port);
  target_ = Local(port);
  const std::string path = directory_ + "/haproxy.cfg";
  std::ofstream file(path);
  file << "global\n  nbthread 1\n  noreuseport\n  maxconn 4000\n"
          "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 2m\n  timeout server 2m\n  timeout check 4s\n"
          "frontend callers\n  bind "
       << target_ << "\n  default_backend igptd\nbackend igptd\n"
       << HealthCheckLines();
  for (const Server& server : servers_) {
    file << "  server " << server.name << " " << Local(server.port) << " check inter 200ms fall 2 rise 1\n";
  }
  file.close();
  haproxy_ =
      std::make_unique<Subprocess>(std::vector<std::string>{kHaproxy, "-db", "-f", path}, std::vector<std::string>{});
  for (const MonotonicTime limit = MonotonicTime::Now() + testing::kWaitLimit; MonotonicTime::Now() < limit;) {
    if (haproxy_->AwaitExit(kStateInterval).has_value()) break;
    if (Listens(port)) return absl::OkStatus();
  }
  return absl::UnavailableError("haproxy does not serve: " + haproxy_->Stderr());
}

size_t Replacement::TimesSaid(const Server& server, const std::string& state) const {
  const std::string said = haproxy_->Stderr();
  const std::string line = absl::StrCat("Server igptd/", server.name, " is ", state);
  size_t times = 0;
  for (size_t at = said.find(line); at != std::string::npos; at = said.find(line, at + 1)) ++times;
  return times;
}

void Replacement::AwaitState(const Server& server, const std::string& state, size_t before) const {
  const MonotonicTime limit = MonotonicTime::Now() + testing::kWaitLimit;
  while (TimesSaid(server, state) <= before && MonotonicTime::Now() < limit) absl::SleepFor(kStateInterval);
  if (TimesSaid(server, state) <= before) {
    recorder_.AddIncident(absl::StrCat("haproxy does not see that igptd ", server.name, " is ", state));
  }
}

void Replacement::Begin() {
  disturber_ = std::thread([this] { Disturb(); });
  if (haproxy_ != nullptr) replacer_ = std::thread([this] { ReplaceServers(); });
}

void Replacement::Stop() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  if (replacer_.joinable()) replacer_.join();
  if (disturber_.joinable()) disturber_.join();
  for (Server& server : servers_) {
    if (server.process != nullptr) server.process->Signal(SIGTERM);
  }
  for (Server& server : servers_) StopServer(server);
  haproxy_.reset();
}

bool Replacement::Pause(absl::Duration duration) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, absl::ToChronoMilliseconds(duration), [this] { return over_; });
}

// Each server is only stopped while the other is up.
void Replacement::ReplaceServers() {
  for (size_t turn = 0; Pause(kReplaceInterval); ++turn) {
    Server& server = servers_[turn % servers_.size()];
    const size_t ups = TimesSaid(server, "UP");
    StopServer(server);
    if (absl::Status started = StartServer(server); !started.ok()) {
      recorder_.AddIncident(started.ToString());
      return;
    }
    AwaitState(server, "UP", ups);
    ++replaced_;
  }
}

void Replacement::Disturb() {
  struct Task {
    absl::Duration interval;
    void (Replacement::*run)();
    MonotonicTime next = MonotonicTime::Now() + interval;
  };
  Task tasks[] = {{kKeyInterval, &Replacement::ChangeKey},
                  {kClockInterval, &Replacement::StepClock},
                  {kOutageInterval, &Replacement::BreakConnections}};
  const auto earlier = [](const Task& left, const Task& right) { return left.next < right.next; };
  for (;;) {
    Task& task = *std::min_element(std::begin(tasks), std::end(tasks), earlier);
    if (!Pause(task.next - MonotonicTime::Now())) return;
    (this->*task.run)();
    task.next += task.interval;
  }
}

void Replacement::StepClock() {
  clock_.Step(kClockSteps[static_cast<size_t>(clock_steps_++) % std::size(kClockSteps)]);
}

// For a moment, new connections fail: at the upstream, or at the proxy.
void Replacement::BreakConnections() {
  const int turn = outages_++;
  if (turn % 2 == 0) {
    upstream_.Refuse(true);
    Pause(kOutage);
    upstream_.Refuse(false);
    return;
  }
  constexpr Greeting kProxyFaults[] = {Greeting::kRefuse, Greeting::kConnectClose, Greeting::kReset};
  recorder_.OutageBegins();
  proxy_.SetGreeting(kProxyFaults[static_cast<size_t>(turn / 2) % std::size(kProxyFaults)]);
  Pause(kOutage);
  proxy_.SetGreeting(Greeting::kConnect);
  recorder_.OutageEnds();
}

void Replacement::ChangeKey() {
  const std::string key = absl::StrCat("ak:soak-", ++keys_);
  upstream_.SetKey(key);
  const std::string path = directory_ + "/key";
  std::ofstream(path + ".new") << key << "\n";
  if (std::rename((path + ".new").c_str(), path.c_str()) != 0) std::perror("rename");
}

}  // namespace igpt::soak
