#include "service/rpc/acceptor.h"

#include <grpc/support/time.h>
#include <pthread.h>

#include <chrono>
#include <utility>

#include "absl/time/time.h"
#include "service/rpc/hand_over.h"

namespace igptd::rpc {
namespace {

using igpt::MonotonicTime;

// How many calls are requested from gRPC ahead of time for each loop; each call that arrives requests another.
constexpr int kRequestedAhead = 16;

// How often a spare thread looks whether the one before it gets on, and for how long it polls at a time.
constexpr std::chrono::milliseconds kLook{10};
constexpr int kPollMs = 5;
// How long to look after something arrived.
constexpr absl::Duration kAlert = absl::Milliseconds(500);

}  // namespace

Acceptor::Acceptor(grpc::AsyncGenericService& service, std::unique_ptr<grpc::ServerCompletionQueue> queue,
                   const Connections& connections)
    : service_(service), queue_(std::move(queue)), connections_(connections) {}

Acceptor::~Acceptor() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  {
    const std::lock_guard lock(requesting_);
    stopped_ = true;
  }
  queue_->Shutdown();
  for (Poller& poller : pollers_) {
    if (poller.thread.joinable()) poller.thread.join();
  }
  void* tag;
  bool ok;
  while (queue_->Next(&tag, &ok)) static_cast<Operation*>(tag)->OnCompleted(ok);
}

void Acceptor::Start(const std::vector<Loop*>& loops) {
  // Round robin, since gRPC hands calls over in the order of the requests for them.
  for (int i = 0; i < kRequestedAhead; ++i) {
    for (Loop* loop : loops) Request(*loop);
  }
  pollers_[0].thread = std::thread([this] { Poll(pollers_[0]); });
  for (size_t i = 1; i < kPollers; ++i) {
    pollers_[i].thread = std::thread([this, i] { StandBy(pollers_[i - 1], pollers_[i]); });
  }
}

void Acceptor::Request(Loop& loop) {
  const std::lock_guard lock(requesting_);
  if (stopped_) return;
  (new IncomingCall(*this, loop))->Request(service_, queue_.get());  // comes back in OnAccepted
}

void Acceptor::OnAccepted(std::unique_ptr<IncomingCall> call, bool ok) {
  if (!ok) return;  // the server is shutting down
  Loop& loop = call->loop();
  Request(loop);
  call->Accepted(connections_.Find(call->context().peer()));
  loop.Arrive(std::move(call));
}

void Acceptor::Poll(Poller& poller) {
  pthread_setname_np(pthread_self(), "acceptor");
  void* tag;
  bool ok;
  while (queue_->Next(&tag, &ok)) {
    ++poller.progress;
    TakenFromGrpc(tag);
    static_cast<Operation*>(tag)->OnCompleted(ok);
  }
}

bool Acceptor::PollOnce() {
  void* tag;
  bool ok;
  const gpr_timespec limit = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(kPollMs, GPR_TIMESPAN));
  if (queue_->AsyncNext(&tag, &ok, limit) != grpc::CompletionQueue::GOT_EVENT) return false;
  TakenFromGrpc(tag);
  static_cast<Operation*>(tag)->OnCompleted(ok);
  return true;
}

// A thread that gets nowhere either has nothing to do or is kept busy; if it has nothing to do, this one finds nothing
// either.
void Acceptor::StandBy(const Poller& watched, Poller& spare) {
  pthread_setname_np(pthread_self(), "spare acceptor");
  for (uint64_t seen = watched.progress; AwaitTraffic(); seen = watched.progress) {
    do {
      ++spare.progress;
    } while (watched.progress == seen && PollOnce());
  }
}

bool Acceptor::AwaitTraffic() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopping_ || MonotonicTime::Now() < traffic_until_; });
  return !changed_.wait_for(lock, kLook, [this] { return stopping_; });
}

void Acceptor::ExpectTraffic() {
  const auto now = MonotonicTime::Now();
  const std::lock_guard lock(mutex_);
  if (now >= traffic_until_) changed_.notify_all();
  traffic_until_ = now + kAlert;
}

}  // namespace igptd::rpc
