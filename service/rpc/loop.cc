#include "service/rpc/loop.h"

#include <grpc/support/time.h>

#include <utility>

#include "absl/memory/memory.h"
#include "service/rpc/arrivals.h"
#include "service/rpc/hand_over.h"
#include "service/rpc/incoming_call.h"
#include "service/rpc/method.h"

namespace igptd::rpc {
namespace {

using std::chrono::steady_clock;

// How late a completion that nothing announces may be noticed.
constexpr absl::Duration kSoon = absl::Milliseconds(1);
constexpr absl::Duration kLater = absl::Milliseconds(5);

constexpr int kMaxOperationsPerPoll = 64;
constexpr int kMaxArrivalsPerPoll = 16;

}  // namespace

Loop::Loop() : arrivals_(std::make_unique<Arrivals>()) {}

absl::StatusOr<std::unique_ptr<Loop>> Loop::Create() {
  std::unique_ptr<Loop> loop = absl::WrapUnique(new Loop);
  absl::StatusOr<std::unique_ptr<igpt::unstable::EventLoop>> events = igpt::unstable::EventLoop::Create(loop.get());
  if (!events.ok()) return events.status();
  loop->events_ = *std::move(events);
  return loop;
}

Loop::~Loop() {
  events_.reset();
  queue_.Shutdown();
  void* tag;
  bool ok;
  while (queue_.Next(&tag, &ok)) static_cast<Operation*>(tag)->OnCompleted(ok);
}

void Loop::Arrive(std::unique_ptr<IncomingCall> call) {
  if (arrivals_->Push(std::move(call))) events_->Post([] {});  // wakes the loop, which then polls
}

size_t Loop::waiting() const {
  return arrivals_->size();
}

void Loop::Started(bool soon) {
  ++outstanding_;
  if (soon) ExpectSoon();
}

void Loop::ExpectSoon() {
  ++soon_;
  expecting_ = true;
}

// What completed comes first: an end that gRPC reports is then known before its call is taken up.
bool Loop::Poll() {
  const bool completed = PollQueue();
  return TakeArrivals() || completed;
}

bool Loop::TakeArrivals() {
  for (int taken = 0; taken < kMaxArrivalsPerPoll; ++taken) {
    std::unique_ptr<IncomingCall> call = arrivals_->Pop();
    if (call == nullptr) return taken > 0;
    call->Taken();
    const CallerConnection* connection = call->connection().get();
    if (connection != nullptr && connection->why_cut_off() != nullptr) {
      Started(/*soon=*/false);  // the tag of its end
      IncomingCall::Discard(std::move(call));
      continue;
    }
    (*methods_)(std::move(call));
  }
  return true;
}

bool Loop::PollQueue() {
  // Polling an empty queue costs a system call, so don't poll in every turn without a reason.
  if (outstanding_ == 0 || (!expecting_ && absl::FromChrono(steady_clock::now() - looked_at_) < MaxSleep()))
    return false;
  int polled = 0;
  while (polled < kMaxOperationsPerPoll) {
    if (expecting_ && soon_ == 0) {
      expecting_ = false;
      break;
    }
    void* tag;
    bool ok;
    const auto next = queue_.AsyncNext(&tag, &ok, gpr_time_0(GPR_CLOCK_MONOTONIC));
    if (next != grpc::CompletionQueue::GOT_EVENT) {
      expecting_ = false;
      looked_at_ = steady_clock::now();
      break;
    }
    --outstanding_;
    ++polled;
    TakenFromGrpc(tag);
    static_cast<Operation*>(tag)->OnCompleted(ok);
  }
  return polled > 0;
}

void Loop::Cork(std::shared_ptr<CallerConnection> connection) {
  if (busy_ && connection->Cork()) corked_.push_back(std::move(connection));
}

void Loop::EndTurn() {
  for (const std::shared_ptr<CallerConnection>& connection : corked_) connection->Uncork();
  corked_.clear();
}

absl::Duration Loop::MaxSleep() const {
  if (!arrivals_->empty()) return absl::ZeroDuration();
  if (soon_ > 0) return kSoon;
  return outstanding_ > 0 ? kLater : absl::InfiniteDuration();
}

}  // namespace igptd::rpc
