#include "service/rpc/loop.h"

#include <grpc/support/time.h>

#include <utility>

#include "absl/memory/memory.h"
#include "service/rpc/hand_over.h"

namespace igptd::rpc {
namespace {

using std::chrono::steady_clock;

// How late a completion that nothing announces may be noticed.
constexpr absl::Duration kSoon = absl::Milliseconds(1);
constexpr absl::Duration kLater = absl::Milliseconds(5);

constexpr int kMaxOperationsPerPoll = 64;

}  // namespace

absl::StatusOr<std::unique_ptr<Loop>> Loop::Create() {
  std::unique_ptr<Loop> loop = absl::WrapUnique(new Loop);
  absl::StatusOr<std::unique_ptr<igpt::EventLoop>> events = igpt::EventLoop::Create(loop.get());
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

void Loop::Started(bool soon) {
  ++outstanding_;
  if (soon) ExpectSoon();
}

void Loop::ExpectSoon() {
  ++soon_;
  expecting_ = true;
}

bool Loop::Poll() {
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

void Loop::AddConnection(std::shared_ptr<CallerConnection> connection) {
  events_->Post([this, connection = std::move(connection)] { connections_[connection->peer()] = connection; });
}

void Loop::RemoveConnection(std::shared_ptr<CallerConnection> connection) {
  events_->Post([this, connection = std::move(connection)] {
    // A new connection from the same address and port may have taken its place already.
    const auto found = connections_.find(connection->peer());
    if (found != connections_.end() && found->second == connection) connections_.erase(found);
  });
}

void Loop::BreakConnections() {
  for (const auto& [peer, connection] : connections_) connection->End();
}

std::shared_ptr<CallerConnection> Loop::FindConnection(const std::string& peer) const {
  const auto found = connections_.find(peer);
  return found == connections_.end() ? nullptr : found->second;
}

void Loop::Cork(std::shared_ptr<CallerConnection> connection) {
  if (busy_ && connection->Cork()) corked_.push_back(std::move(connection));
}

void Loop::EndTurn() {
  for (const std::shared_ptr<CallerConnection>& connection : corked_) connection->Uncork();
  corked_.clear();
}

absl::Duration Loop::MaxSleep() const {
  if (soon_ > 0) return kSoon;
  return outstanding_ > 0 ? kLater : absl::InfiniteDuration();
}

}  // namespace igptd::rpc
