#include "service/standard/health.h"

#include <coroutine>
#include <optional>
#include <string_view>
#include <utility>

namespace igptd {

using grpc::health::v1::HealthCheckResponse;

namespace {

constexpr std::string_view kCheck = "grpc.health.v1.Health/Check";
constexpr std::string_view kWatch = "grpc.health.v1.Health/Watch";

// For liveness probes, which decide whether to restart igptd, not whether to send it calls: any answer means alive.
constexpr char kLiveness[] = "liveness";

}  // namespace

Health::Health(const std::vector<std::string>& services, rpc::Loop& loop, const rpc::CallEnvironment& checks,
               const rpc::CallEnvironment& watches, rpc::Methods& methods)
    : loop_(loop),
      check_{kCheck, checks, [this](CheckCall& call) { Check(call); }},
      watch_{kWatch, watches, [this](WatchCall& call) { Watch(call); }},
      services_(services.begin(), services.end()) {
  services_.insert({"", kLiveness});
  methods.Add(check_);
  methods.Add(watch_);
}

void Health::SetServing(bool serving) {
  serving_ = serving;
  loop_.events().Post([this] { WakeAll(); });
}

void Health::EndWatches() {
  loop_.events().Post([this] {
    if (std::exchange(watches_ended_, true)) {
      for (WatchCall* call : writing_) call->Stop(Refusal::kShuttingDown);
    }
    WakeAll();
  });
}

void Health::Wake(WatchCall* call) {
  if (const auto watch = waiting_.extract(call)) watch.mapped().resume();
}

void Health::WakeAll() {
  for (const auto& [call, watch] : std::exchange(waiting_, {})) watch.resume();
}

Health::Status Health::StatusOf(const std::string& service) const {
  if (!services_.contains(service)) return HealthCheckResponse::SERVICE_UNKNOWN;
  return serving_ || service == kLiveness ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
}

void Health::Check(CheckCall& call) {
  HealthCheckResponse response;
  response.set_status(StatusOf(call.request().service()));
  if (response.status() == HealthCheckResponse::SERVICE_UNKNOWN) {
    return call.Finish({grpc::Status(grpc::StatusCode::NOT_FOUND, "no such service"), {}});
  }
  call.Finish(response);
}

rpc::Task Health::Watch(WatchCall& call) {
  call.OnStop([this, &call] { loop_.events().Defer([this, &call] { Wake(&call); }); });
  // An unknown service is no error here, because it may become known.
  HealthCheckResponse response;
  std::optional<Status> told;
  while (!call.stopping()) {
    const Status status = StatusOf(call.request().service());
    if (told == status) {
      if (watches_ended_) break;
      co_await rpc::Wait{[] { return false; },
                         [this, &call](std::coroutine_handle<> watch) { waiting_[&call] = watch; }, [] {}};
      continue;
    }
    told = status;
    response.set_status(status);
    writing_.insert(&call);
    const bool written = co_await call.Write(response, /*is_event=*/true, /*more=*/false);
    writing_.erase(&call);
    if (!written) break;
  }
  call.Finish(watches_ended_ ? ToCallStatus(Refusal::kShuttingDown) : CancelledByCaller());
}

}  // namespace igptd
