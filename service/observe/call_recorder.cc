#include "service/observe/call_recorder.h"

#include <cstdint>

namespace igptd {

using igpt::MonotonicTime;

void CallRecorder::Started(MonotonicTime accepted_at) {
  accepted_at_ = accepted_at;
  if (observer_ != nullptr) observer_->OnStarted(MonotonicTime::Now() - accepted_at_);
}

void CallRecorder::WaitStarts() {
  wait_started_at_ = MonotonicTime::Now();
}

void CallRecorder::WaitEnds() {
  record_.waited += MonotonicTime::Now() - wait_started_at_;
}

void CallRecorder::Sending(bool is_event, size_t bytes) {
  sending_at_ = MonotonicTime::Now();
  sent_ = true;
  record_.bytes += static_cast<int64_t>(bytes);
  if (!is_event) return;
  const bool first = record_.events++ == 0;
  const absl::Duration after = sending_at_ - (first ? accepted_at_ : event_at_);
  if (first) record_.first_event = after;
  if (observer_ != nullptr) observer_->OnEvent(first, after);
  event_at_ = sending_at_;
}

absl::Duration CallRecorder::SinceSending() const {
  return MonotonicTime::Now() - sending_at_;
}

void CallRecorder::Ending(const CallStatus& status) {
  record_.code = status.status.error_code();
  record_.reason = status.reason;
  record_.duration = MonotonicTime::Now() - accepted_at_;
  if (observer_ != nullptr) observer_->OnEnding(record_);
}

}  // namespace igptd
