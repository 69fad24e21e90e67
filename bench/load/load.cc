#include "bench/load/load.h"

#include <sys/epoll.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <utility>

#include "bench/load/clock.h"
#include "bench/load/http_connection.h"

namespace igpt::bench {
namespace {

// How long the first event of the last call may take, in addition to the time that opening takes.
constexpr int64_t kOpeningLimit = 60 * kSecond;

// The delay before a call whose connection failed is started again.
constexpr int64_t kReconnectDelay = 100 * kMillisecond;

GrpcRequest SlowRequest(Options options) {
  options.method = "ask";
  options.whole = false;
  options.text = options.slow_text;
  return MakeGrpcRequest(options);
}

int64_t Nanoseconds(double seconds) {
  return static_cast<int64_t>(seconds * static_cast<double>(kSecond));
}

double CpuSeconds() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](timeval time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

// One of the calls in flight, and its successors.
class Load::Slot final : public Call {
 public:
  Slot(Load& load, size_t index) : load_(load), index_(index) {}

  size_t index() const { return index_; }

  void OnStart() {
    started_ = Now();
    if (turn_ == 0) turn_ = started_;
    has_message_ = false;
  }

  void OnMessage(const Event& event, size_t bytes, int64_t now) override {
    const bool first = !std::exchange(has_message_, true);
    SetReady();
    if (load_.phase_ != Phase::kMeasuring) return;
    Results& results = load_.results_;
    ++results.messages;
    results.bytes += static_cast<int64_t>(bytes);
    if (first) results.first.Add(now - started_);
    if (event.kind == Event::Kind::kDelta) ++results.events;
    if (event.written == 0) return;
    (event.kind == Event::Kind::kDelta ? results.delay : results.start_delay).Add(now - event.written);
  }

  void OnDone(std::string_view failure, int64_t now) override {
    SetReady();
    if (load_.phase_ == Phase::kMeasuring) Record(failure, now);
    if (failure == kConnectionFailed) {
      load_.waiting_.emplace(now + kReconnectDelay, this);
    } else if (load_.period_ > 0) {
      load_.waiting_.emplace(NextTurn(now), this);
    } else {
      load_.StartCall(*this);
    }
  }

  // Continues as the same call, so that the detour counts as part of its latency.
  void OnNotTaken() override {
    const int64_t started = started_;
    load_.StartCall(*this);
    started_ = started;
  }

 private:
  // Turns keep the rhythm of the first one, so that calls which were held up together don't stay together.
  int64_t NextTurn(int64_t now) {
    turn_ += ((now - turn_) / load_.period_ + 1) * load_.period_;
    return turn_;
  }

  void SetReady() {
    if (!std::exchange(ready_, true)) ++load_.ready_;
  }

  void Record(std::string_view failure, int64_t now) {
    Results& results = load_.results_;
    if (!failure.empty()) {
      ++results.calls_failed[std::string(failure)];
      results.failed.Add(now - started_);
      return;
    }
    ++results.calls_ok;
    results.latency.Add(now - started_);
  }

  Load& load_;
  const size_t index_;
  bool ready_ = false;
  int64_t started_ = 0;
  int64_t turn_ = 0;  // the time of the last call, or of the next one if that waits
  bool has_message_ = false;
};

// A call on its own connection, whose window is never updated. It is not restarted when it ends.
class Load::SlowReader final : public Call {
 public:
  explicit SlowReader(Load& load)
      : connection_(load.endpoint_, load.epoll_.get(), load.slow_request_, Windows::kFixed) {
    connection_.Start(*this);
    connection_.Flush();
  }

  bool running() const { return running_; }

  void OnMessage(const Event&, size_t, int64_t) override {}
  void OnDone(std::string_view, int64_t) override { running_ = false; }
  void OnNotTaken() override { running_ = false; }

 private:
  bool running_ = true;
  GrpcConnection connection_;
};

Load::Load(const Options& options)
    : options_(options),
      period_(Nanoseconds(options.every_ms / 1000)),
      endpoint_(MakeEndpoint(options)),
      grpc_request_(MakeGrpcRequest(options)),
      slow_request_(SlowRequest(options)),
      http_request_(MakeHttpRequest(options)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  const auto in_flight = static_cast<size_t>(options_.in_flight);
  for (size_t i = 0; i < in_flight; ++i) slots_.push_back(std::make_unique<Slot>(*this, i));
  // Each connection is opened by its first call.
  const auto connections = static_cast<size_t>(options_.connections);
  connections_.resize(options_.protocol == "http" ? in_flight : std::min(connections, in_flight));
}

Load::~Load() = default;

std::unique_ptr<Connection> Load::Connect() {
  if (options_.protocol == "http") return std::make_unique<HttpConnection>(endpoint_, epoll_.get(), http_request_);
  return std::make_unique<GrpcConnection>(endpoint_, epoll_.get(), grpc_request_, Windows::kLarge);
}

Results Load::Run() {
  for (int i = 0; i < options_.slow_readers; ++i) slow_readers_.push_back(std::make_unique<SlowReader>(*this));
  opening_since_ = Now();
  const double opening = options_.open_per_s == 0 ? 0 : options_.in_flight / options_.open_per_s;
  phase_end_ = opening_since_ + Nanoseconds(opening) + kOpeningLimit;
  while (phase_ != Phase::kDone) RunOnce();
  return results_;
}

void Load::RunOnce() {
  StartDue(Now());
  while (!unflushed_.empty()) {  // flushing may start further calls
    for (Connection* connection : std::exchange(unflushed_, {})) connection->Flush();
  }
  retired_.remove_if([](const auto& connection) { return !connection->busy(); });

  epoll_event events[64];
  const int64_t now = Now();
  const int64_t wait = std::max<int64_t>(NextWake(now) - now, 0);
  const int count =
      ::epoll_wait(epoll_.get(), events, std::size(events), static_cast<int>((wait + kMillisecond - 1) / kMillisecond));
  for (int i = 0; i < count; ++i) {
    current_ = static_cast<Connection*>(events[i].data.ptr);
    current_->OnReady();
  }
  current_ = nullptr;
  Advance(Now());
}

void Load::StartDue(int64_t now) {
  size_t due = slots_.size();
  if (options_.open_per_s > 0) {
    const double seconds = static_cast<double>(now - opening_since_) / static_cast<double>(kSecond);
    due = std::min(due, 1 + static_cast<size_t>(seconds * options_.open_per_s));
  }
  while (opened_ < due) StartCall(*slots_[opened_++]);
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    Slot& slot = *waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    StartCall(slot);
  }
}

void Load::StartCall(Slot& slot) {
  std::unique_ptr<Connection>& connection = connections_[slot.index() % connections_.size()];
  if (connection == nullptr || !connection->usable()) {
    if (connection != nullptr) retired_.push_back(std::move(connection));
    connection = Connect();
  }
  slot.OnStart();
  connection->Start(slot);
  if (connection.get() != current_) unflushed_.push_back(connection.get());
}

void Load::Advance(int64_t now) {
  if (phase_ == Phase::kOpening && ready_ == slots_.size()) {
    phase_ = Phase::kWarmup;
    phase_end_ = now + Nanoseconds(options_.warmup_s);
  }
  if (now < phase_end_) return;
  switch (phase_) {
    case Phase::kOpening:
      throw std::runtime_error("only " + std::to_string(ready_) + " of " + std::to_string(slots_.size()) +
                               " calls have had a first event");
    case Phase::kWarmup:
      std::puts(R"({"phase":"measure"})");
      std::fflush(stdout);
      phase_ = Phase::kMeasuring;
      cpu_before_ = CpuSeconds();
      measuring_since_ = Now();
      phase_end_ = measuring_since_ + Nanoseconds(options_.seconds);
      break;
    case Phase::kMeasuring:
      phase_ = Phase::kDone;
      results_.seconds = static_cast<double>(now - measuring_since_) / static_cast<double>(kSecond);
      results_.cpu_seconds = CpuSeconds() - cpu_before_;
      results_.slow_readers = static_cast<int>(
          std::count_if(slow_readers_.begin(), slow_readers_.end(), [](const auto& slow) { return slow->running(); }));
      break;
    case Phase::kDone:
      break;
  }
}

int64_t Load::NextWake(int64_t now) const {
  int64_t wake = phase_end_;
  if (opened_ < slots_.size()) wake = std::min(wake, now + kMillisecond);
  if (!waiting_.empty()) wake = std::min(wake, waiting_.begin()->first);
  return wake;
}

}  // namespace igpt::bench
