#include "soak/history.h"

#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "nlohmann/json.hpp"

namespace igpt::soak {

void CallRecord::Receive(std::string_view text, std::optional<int64_t> event_seq) {
  const std::optional<Mark> mark = ReadMark(text);
  if (!mark.has_value() || (event_seq.has_value() && *event_seq != mark->seq)) {
    damaged.push_back(absl::StrCat(event_seq.value_or(-1), ": ", std::string(text.substr(0, 100))));
    return;
  }
  if (!received.empty()) {
    Run& last = received.back();
    Mark next = last.first;
    next.seq += last.count;
    if (*mark == next) {
      ++last.count;
      return;
    }
  }
  received.push_back({*mark, 1});
}

uint32_t CallRecord::received_count() const {
  uint32_t count = 0;
  for (const Run& run : received) count += run.count;
  return count;
}

size_t Recorder::Arrived(uint32_t call, const std::function<Fault(int number)>& fault_of, int* number) {
  const std::lock_guard lock(mutex_);
  if (attempts_of_call_.size() <= call) attempts_of_call_.resize(call + 1);
  *number = ++attempts_of_call_[call];
  Attempt attempt;
  attempt.call = call;
  attempt.number = *number;
  attempt.fault = fault_of(*number);
  attempt.arrived_at = MonotonicTime::Now();
  history_.attempts.push_back(attempt);
  ++running_;
  return history_.attempts.size() - 1;
}

void Recorder::Sent(size_t attempt, int whole_events) {
  const std::lock_guard lock(mutex_);
  history_.attempts[attempt].whole_events = whole_events;
}

void Recorder::Ended(size_t attempt, Attempt::End end) {
  const std::lock_guard lock(mutex_);
  history_.attempts[attempt].end = end;
  history_.attempts[attempt].ended_at = MonotonicTime::Now();
  --running_;
  changed_.notify_all();
}

void Recorder::Add(CallRecord call) {
  const std::lock_guard lock(mutex_);
  history_.calls.push_back(std::move(call));
}

void Recorder::AddLog(const std::string& lines) {
  std::istringstream in(lines);
  for (std::string text; std::getline(in, text);) {
    const nlohmann::json json = nlohmann::json::parse(text, /*cb=*/nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || json.value("message", "") != "call") continue;
    LogLine line;
    line.code = json.value("code", "");
    line.reason = json.value("reason", "");
    line.duration = absl::Milliseconds(json.value("duration_ms", -1.0));
    const std::string request_id = json.value("request_id", "");
    if (request_id == kAttack) continue;
    if (json.value("caller", "") != kCaller) {
      if (line.code == "OK") AddIncident("a call without a token was answered: " + text);
      continue;
    }
    const std::optional<uint32_t> call = CallOf(request_id);
    if (!call.has_value()) {
      AddIncident("a log line of no call of ours: " + text);
      continue;
    }
    line.call = *call;
    const std::lock_guard lock(mutex_);
    history_.log.push_back(std::move(line));
  }
}

void Recorder::OutageBegins() {
  const std::lock_guard lock(mutex_);
  history_.outages.push_back({MonotonicTime::Now()});
}

void Recorder::OutageEnds() {
  const std::lock_guard lock(mutex_);
  history_.outages.back().end = MonotonicTime::Now();
}

void Recorder::AddDrain(Period drain) {
  const std::lock_guard lock(mutex_);
  history_.drains.push_back(drain);
}

void Recorder::AddIncident(std::string what) {
  const std::lock_guard lock(mutex_);
  history_.incidents.push_back(std::move(what));
}

void Recorder::AwaitNoneRunning(absl::Duration limit) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, absl::ToChronoMilliseconds(limit), [this] { return running_ == 0; });
}

History Recorder::Take() {
  const std::lock_guard lock(mutex_);
  return std::move(history_);
}

}  // namespace igpt::soak
