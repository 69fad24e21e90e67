#include "service/health.h"

#include <coroutine>
#include <optional>
#include <utility>

namespace igptd {

using grpc::health::v1::HealthCheckResponse;

Health::Health(HealthRequests& requests, const std::vector<std::string>& services, rpc::Loop& loop,
               const rpc::CallEnvironment& environment, grpc::ServerCompletionQueue* incoming)
    : loop_(loop),
      check_{"grpc.health.v1.Health/Check",
             loop,
             environment,
             incoming,
             [&requests](auto... args) { requests.RequestCheck(args...); },
             [this](CheckCall& call) { Check(call); }},
      watch_{"grpc.health.v1.Health/Watch",
             loop,
             environment,
             incoming,
             [&requests](auto... args) { requests.RequestWatch(args...); },
             [this](WatchCall& call) { Watch(call); }},
      services_(services.begin(), services.end()) {
  services_.insert("");
}

void Health::Accept() {
  CheckCall::AcceptNext(check_);
  WatchCall::AcceptNext(watch_);
}

void Health::SetServing(bool serving) {
  loop_.events().Post([this, serving] {
    serving_ = serving;
    WakeWatchers();
  });
}

void Health::WakeWatchers() {
  for (void* watcher : std::exchange(watchers_, {})) std::coroutine_handle<>::from_address(watcher).resume();
}

void Health::Check(CheckCall& call) {
  if (!services_.contains(call.request().service())) {
    return call.Finish({grpc::Status(grpc::StatusCode::NOT_FOUND, "no such service"), {}});
  }
  HealthCheckResponse response;
  response.set_status(serving_ ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING);
  call.Finish(response);
}

rpc::Task Health::Watch(WatchCall& call) {
  struct Change {
    Health& health;
    WatchCall& call;
    bool await_ready() const { return call.stopping(); }
    void await_suspend(std::coroutine_handle<> waiting) { health.watchers_.insert(waiting.address()); }
    void await_resume() const {}
  };
  // All of them look again, most of them for nothing: watchers are few, and seldom leave.
  call.OnStop([this] { loop_.events().Defer([this] { WakeWatchers(); }); });
  // A service that isn't known may become so: that is no error here.
  const bool known = services_.contains(call.request().service());
  HealthCheckResponse response;
  std::optional<Status> told;
  while (!call.stopping()) {
    const Status status = !known     ? HealthCheckResponse::SERVICE_UNKNOWN
                          : serving_ ? HealthCheckResponse::SERVING
                                     : HealthCheckResponse::NOT_SERVING;
    if (told == status) {
      co_await Change{*this, call};
      continue;
    }
    told = status;
    response.set_status(status);
    if (!co_await call.Write(response, /*is_event=*/true, /*more=*/false)) break;
  }
  call.Finish(rpc::CancelledByCaller());
}

}  // namespace igptd
