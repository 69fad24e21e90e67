#include "soak/callers.h"

#include <grpc/support/time.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "igpt/v1/connectors.grpc.pb.h"
#include "igpt/v1/datasources.grpc.pb.h"
#include "igpt/v1/recall.grpc.pb.h"
#include "nlohmann/json.hpp"
#include "soak/checker.h"
#include "tests/integration/igptd/igptd_fixture.h"

namespace igpt::soak {
namespace {

constexpr int kChannels = 6;

// A call that takes this long counts as hanging.
constexpr absl::Duration kHang = absl::Minutes(1);

// How long to wait for the moment at which a call is to be cancelled.
constexpr absl::Duration kPatience = absl::Seconds(10);

constexpr char kUrlPrefix[] = "https://connect.example/";

std::shared_ptr<grpc::Channel> NewChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

gpr_timespec DeadlineAfter(absl::Duration duration) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_micros(absl::ToInt64Microseconds(duration), GPR_TIMESPAN));
}

std::string UserOf(const CallPlan& plan) {
  return absl::StrCat("user-", plan.user);
}

// A slow reader would hold up the other calls on its connection.
bool NeedsOwnConnection(const CallPlan& plan) {
  return plan.cancel == Cancel::kPaused || plan.read_delay > absl::ZeroDuration();
}

void Receive(const v1::RunEvent& event, const CallPlan& plan, CallRecord& record) {
  const std::optional<int64_t> seq = IsStream(plan) ? std::optional<int64_t>(event.seq()) : std::nullopt;
  if (!event.raw_json().empty()) return record.damaged.push_back(event.raw_json().substr(0, 100));
  record.Receive(event.has_started()     ? event.started().id()
                 : event.has_completed() ? event.completed().text()
                                         : event.delta(),
                 seq);
}

void Receive(const v1::SearchResponse& answer, CallRecord& record) {
  for (const v1::SearchResult& result : answer.results()) record.Receive(result.content());
}

void Receive(const v1::ListResponse& answer, CallRecord& record) {
  for (const v1::Datasource& datasource : answer.datasources()) record.Receive(datasource.title());
}

void Receive(const v1::DisconnectResponse& answer, CallRecord& record) {
  const nlohmann::json json = nlohmann::json::parse(answer.raw_json(), /*cb=*/nullptr, /*allow_exceptions=*/false);
  record.Receive(json.is_object() ? json.value("gone", "") : answer.raw_json());
}

void Receive(const v1::AuthorizeResponse& answer, CallRecord& record) {
  const std::string& url = answer.url();
  record.Receive(absl::StartsWith(url, kUrlPrefix) ? url.substr(sizeof kUrlPrefix - 1) : url);
}

void TakeStatus(const grpc::Status& status, CallRecord& record) {
  record.code = status.error_code();
  record.message = status.error_message();
  record.reason = testing::DetailsOf(status).info.reason();
}

template <typename Response, typename Stub, typename Request>
void Call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*), Request request,
          const CallPlan& plan, grpc::ClientContext& context, CallRecord& record) {
  request.set_user(UserOf(plan));
  Response response;
  TakeStatus((stub.*method)(&context, request, &response), record);
  if (record.code == grpc::StatusCode::OK) Receive(response, record);
}

}  // namespace

Canceller::Canceller() : worker_([this] { Work(); }) {}

Canceller::~Canceller() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  worker_.join();
}

void Canceller::Begin(uint32_t call, grpc::ClientContext& context) {
  const std::lock_guard lock(mutex_);
  pending_[call].context = &context;
}

std::optional<MonotonicTime> Canceller::End(uint32_t call) {
  const std::lock_guard lock(mutex_);
  const std::optional<MonotonicTime> cancelled_at = pending_.at(call).cancelled_at;
  pending_.erase(call);
  return cancelled_at;
}

void Canceller::Cancel(uint32_t call) {
  {
    const std::lock_guard lock(mutex_);
    CancelLocked(call);
  }
  changed_.notify_all();
}

void Canceller::CancelLocked(uint32_t call) {
  const auto found = pending_.find(call);
  if (found == pending_.end() || found->second.cancelled_at.has_value()) return;
  found->second.cancelled_at = MonotonicTime::Now();
  found->second.context->TryCancel();
}

void Canceller::CancelAt(uint32_t call, MonotonicTime time) {
  {
    const std::lock_guard lock(mutex_);
    timers_.emplace(time, call);
  }
  changed_.notify_all();
}

bool Canceller::AwaitCancelled(uint32_t call, absl::Duration limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, absl::ToChronoMilliseconds(limit),
                           [&] { return pending_.at(call).cancelled_at.has_value(); });
}

void Canceller::Work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (timers_.empty()) {
      changed_.wait(lock);
    } else if (timers_.begin()->first > MonotonicTime::Now()) {
      changed_.wait_for(lock, absl::ToChronoNanoseconds(timers_.begin()->first - MonotonicTime::Now()));
    } else {
      CancelLocked(timers_.begin()->second);
      timers_.erase(timers_.begin());
      changed_.notify_all();
    }
  }
}

Callers::Callers(uint64_t seed, std::string target, Recorder& recorder)
    : seed_(seed), target_(std::move(target)), recorder_(recorder) {}

void Callers::OnMoment(uint32_t call) {
  const CallPlan plan = PlanOf(seed_, call);
  if (plan.cancel == Cancel::kBeforeHead || plan.cancel == Cancel::kPaused || plan.cancel == Cancel::kRetryDelay) {
    canceller_.CancelAt(call, MonotonicTime::Now() + plan.cancel_delay);
  }
}

void Callers::Run(int threads, MonotonicTime until) {
  std::vector<std::shared_ptr<grpc::Channel>> channels(kChannels);
  for (auto& channel : channels) channel = NewChannel(target_);
  std::vector<std::thread> callers;
  for (int i = 0; i < threads; ++i) {
    callers.emplace_back([this, until, channel = channels[static_cast<size_t>(i % kChannels)]] {
      while (MonotonicTime::Now() < until) RunCall(PlanOf(seed_, next_++), channel);
    });
  }
  for (std::thread& caller : callers) caller.join();
}

void Callers::RunCall(const CallPlan& plan, const std::shared_ptr<grpc::Channel>& shared) {
  const std::shared_ptr<grpc::Channel> channel = NeedsOwnConnection(plan) ? NewChannel(target_) : shared;
  CallRecord record;
  record.plan = plan;
  grpc::ClientContext context;
  context.AddMetadata("x-request-id", NameOf(plan.call));
  context.AddMetadata("authorization", absl::StrCat("Bearer ", kToken));
  record.started_at = MonotonicTime::Now();
  context.set_deadline(DeadlineAfter(std::min(plan.deadline, kHang)));
  canceller_.Begin(plan.call, context);
  if (plan.cancel == Cancel::kAtOnce) canceller_.Cancel(plan.call);
  if (plan.cancel == Cancel::kAnyTime) canceller_.CancelAt(plan.call, record.started_at + plan.cancel_delay);

  switch (plan.rpc) {
    case Rpc::kSearch:
      Call<v1::SearchResponse>(*v1::RecallService::NewStub(channel), &v1::RecallService::Stub::Search,
                               v1::SearchRequest(), plan, context, record);
      break;
    case Rpc::kList:
      Call<v1::ListResponse>(*v1::DatasourcesService::NewStub(channel), &v1::DatasourcesService::Stub::List,
                             v1::ListRequest(), plan, context, record);
      break;
    case Rpc::kDisconnect: {
      v1::DisconnectRequest request;
      request.set_id("spike/1/messages");
      Call<v1::DisconnectResponse>(*v1::DatasourcesService::NewStub(channel), &v1::DatasourcesService::Stub::Disconnect,
                                   request, plan, context, record);
      break;
    }
    case Rpc::kAuthorize: {
      v1::AuthorizeRequest request;
      request.set_service("spike");
      request.set_scope("messages");
      Call<v1::AuthorizeResponse>(*v1::ConnectorsService::NewStub(channel), &v1::ConnectorsService::Stub::Authorize,
                                  request, plan, context, record);
      break;
    }
    default:
      if (IsRun(plan)) {
        Ask(&v1::RecallService::Stub::Run, plan, context, channel, record);
      } else {
        Ask(&v1::RecallService::Stub::Ask, plan, context, channel, record);
      }
      break;
  }
  record.cancelled_at = canceller_.End(plan.call);
  record.ended_at = MonotonicTime::Now();
  violations_ += CheckReceived(record).size();
  ++ended_;
  recorder_.Add(std::move(record));
}

template <typename Request, typename Response>
void Callers::Ask(std::unique_ptr<grpc::ClientReader<Response>> (v1::RecallService::Stub::*start)(grpc::ClientContext*,
                                                                                                  const Request&),
                  const CallPlan& plan, grpc::ClientContext& context, const std::shared_ptr<grpc::Channel>& channel,
                  CallRecord& record) {
  Request request;
  request.set_user(UserOf(plan));
  request.set_input(NameOf(plan.call));
  request.set_whole_answer(plan.rpc == Rpc::kWholeAnswer);
  const auto stub = v1::RecallService::NewStub(channel);
  const auto reader = (*stub.*start)(&context, request);
  Response response;
  for (int events = 1; reader->Read(&response); ++events) {
    if (response.has_event()) Receive(response.event(), plan, record);
    if (plan.cancel == Cancel::kMidStream && events == plan.cancel_after) canceller_.Cancel(plan.call);
    if (plan.cancel == Cancel::kPaused && events == 1 && !canceller_.AwaitCancelled(plan.call, kPatience)) {
      canceller_.Cancel(plan.call);
    }
    if (plan.read_delay > absl::ZeroDuration()) absl::SleepFor(plan.read_delay);
  }
  TakeStatus(reader->Finish(), record);
}

}  // namespace igpt::soak
