#include "service/rpc/loop.h"

#include <grpc/support/time.h>

#include <utility>

#include "absl/memory/memory.h"

namespace igptd::rpc {
namespace {

// How late a completion that nothing announces may be seen.
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
  if (soon) ++soon_;
}

bool Loop::Poll() {
  int polled = 0;
  // AsyncNext costs a system call even when there is nothing: not without an operation that it could find.
  while (outstanding_ > 0 && polled < kMaxOperationsPerPoll) {
    void* tag;
    bool ok;
    const auto next = queue_.AsyncNext(&tag, &ok, gpr_time_0(GPR_CLOCK_MONOTONIC));
    if (next != grpc::CompletionQueue::GOT_EVENT) break;
    --outstanding_;
    ++polled;
    static_cast<Operation*>(tag)->OnCompleted(ok);
  }
  return polled > 0;
}

absl::Duration Loop::MaxSleep() const {
  if (soon_ > 0) return kSoon;
  return outstanding_ > 0 ? kLater : absl::InfiniteDuration();
}

}  // namespace igptd::rpc
