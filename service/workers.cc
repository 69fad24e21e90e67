#include "service/workers.h"

#include <atomic>
#include <future>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "igpt/unstable/on_loop.h"
#include "service/access/caller_auth.h"
#include "service/edge/caller_connection.h"
#include "service/system/cores.h"

namespace igptd {
absl::Status Workers::Start(const igpt::Options& client, const CallSettings& settings, const EntryRules& rules,
                            StandardRooms& rooms, Metrics& metrics) {
  const absl::Duration heartbeat =
      settings.heartbeat_interval == absl::ZeroDuration() ? absl::InfiniteDuration() : settings.heartbeat_interval;
  for (int i = UsableCores(); i > 0; --i) {
    auto worker = std::make_unique<Worker>(rules);
    absl::StatusOr<std::unique_ptr<rpc::Loop>> loop = rpc::Loop::Create();
    if (!loop.ok()) return loop.status();
    worker->loop = *std::move(loop);
    LoopMetrics& loop_metrics = metrics.AddLoop();
    worker->environment = {
        .stalled_reader_timeout = settings.stalled_reader_timeout,
        .enter = [&entry = worker->entry,
                  &room = rules.admission](rpc::Call& call) { return entry.Enter(call, Audience::kCallers, room); },
        .await_request = [&entry = worker->entry](rpc::Call& call) { return entry.AwaitRequest(call); },
        .check_request = [&entry = worker->entry](rpc::Call& call) { return entry.CheckRequest(call); },
        .on_finished = settings.on_call_finished,
        .observer_of = [&loop_metrics](std::string_view method, bool streams) -> CallObserver* {
          return loop_metrics.methods.emplace_back(std::make_unique<MethodMetrics>(method, streams)).get();
        }};
    igpt::Options options = client;
    options.observer = {std::shared_ptr<void>(), &loop_metrics.upstream};  // which outlives the loops
    if (const CallSpans* spans = settings.spans; spans != nullptr) {
      options.observer = std::make_shared<UpstreamObserver>(loop_metrics.upstream, *spans);
      worker->environment.on_started = [spans](rpc::Call& call) {
        spans->OnStart(call.record(), call.recorder().accepted_at(), AddressOf(HostOf(call.peer())));
      };
      worker->environment.on_finished = [spans, log = settings.on_call_finished](const CallRecord& call) {
        log(call);
        spans->OnEnd(call);
      };
    }
    absl::StatusOr<igpt::Client> made = igpt::unstable::OnLoop::Create(std::move(options), worker->loop->events());
    if (!made.ok()) return made.status();
    worker->client = *std::move(made);
    worker->api = std::make_unique<Api>(HandlerContext{*worker->client, heartbeat, settings.forward_faults},
                                        worker->environment, worker->methods);
    worker->standard = std::make_unique<StandardServices>(*worker->loop, worker->environment, worker->entry, rooms,
                                                          settings.channelz, worker->methods);
    worker->loop->Serve(worker->methods);
    workers_.push_back(std::move(worker));
  }
  return absl::OkStatus();
}

void Workers::SetServing(bool serving) {
  for (const std::unique_ptr<Worker>& worker : workers_) worker->standard->health().SetServing(serving);
}

void Workers::EndWatches() {
  for (const std::unique_ptr<Worker>& worker : workers_) worker->standard->health().EndWatches();
}

void Workers::Post(const std::function<void(Worker&)>& function) {
  for (const std::unique_ptr<Worker>& worker : workers_) {
    worker->loop->events().Post([function, &worker = *worker] { function(worker); });
  }
}

bool Workers::Ask(absl::Duration limit, const std::function<void(Worker&)>& function) {
  struct Answers {
    std::atomic<size_t> missing;
    std::promise<void> all;
  };
  const auto answers = std::make_shared<Answers>();
  answers->missing = workers_.size();
  const std::future<void> all = answers->all.get_future();
  Post([answers, function](Worker& worker) {
    function(worker);
    if (--answers->missing == 0) answers->all.set_value();
  });
  if (workers_.empty()) return true;
  if (limit != absl::InfiniteDuration()) {
    return all.wait_for(absl::ToChronoMilliseconds(limit)) == std::future_status::ready;
  }
  all.wait();
  return true;
}

Workers::Load Workers::CountLoad() {
  std::atomic<size_t> calls = 0;
  std::atomic<size_t> operations = 0;
  Ask(absl::InfiniteDuration(), [&](Worker& worker) {
    calls += worker.loop->calls().size() + worker.loop->waiting();
    operations += static_cast<size_t>(worker.loop->outstanding());
  });
  return {calls, operations};
}

absl::Status Workers::SetApiKey(const std::string& key) {
  for (const std::unique_ptr<Worker>& worker : workers_) {
    if (absl::Status set = worker->client->SetApiKey(key); !set.ok()) return set;
  }
  return absl::OkStatus();
}

absl::Status Workers::UseIgptAuthorities(const std::string& pem) {
  for (const std::unique_ptr<Worker>& worker : workers_) {
    if (absl::Status set = worker->client->SetAuthorities(pem); !set.ok()) return set;
  }
  return absl::OkStatus();
}

void Workers::UseCallers(const Callers& callers) {
  for (const std::unique_ptr<Worker>& worker : workers_) {
    // One copy per loop: a shared reference count would bounce between cores.
    worker->loop->events().Post([&entry = worker->entry, auth = std::make_shared<const CallerAuth>(callers)]() mutable {
      entry.Use(std::move(auth));
    });
  }
}

}  // namespace igptd
