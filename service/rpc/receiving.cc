#include "service/rpc/receiving.h"

#include <utility>

namespace igptd::rpc {

void Receiving::Place::Enter(Receiving& receiving, std::string caller, absl::AnyInvocable<void()> start) {
  receiving_ = &receiving;
  caller_ = std::move(caller);
  Caller& mine = receiving.callers_[caller_];
  if (mine.received < kReceivedAtOnce) {
    ++mine.received;
    started_ = true;
    return start();
  }
  start_ = std::move(start);
  turn_ = mine.waiting.insert(mine.waiting.end(), this);
}

void Receiving::Place::Leave() {
  if (receiving_ == nullptr) return;
  auto& callers = std::exchange(receiving_, nullptr)->callers_;
  const auto found = callers.find(caller_);
  Caller& mine = found->second;
  if (!started_) {
    mine.waiting.erase(turn_);
    return;
  }
  if (mine.waiting.empty()) {
    if (--mine.received == 0) callers.erase(found);
    return;
  }
  Place& next = *mine.waiting.front();
  mine.waiting.pop_front();
  next.started_ = true;
  std::exchange(next.start_, nullptr)();
}

}  // namespace igptd::rpc
