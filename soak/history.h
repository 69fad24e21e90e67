// What happened in a soak, as both ends of igptd saw it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/support/status.h"
#include "soak/mark.h"
#include "soak/plan.h"

namespace igpt::soak {

// Marks that followed one another: `count` of them from `first` on. A stream as it should be is one run.
struct Run {
  Mark first;
  uint32_t count = 1;
};

// A call, as its caller saw it.
struct CallRecord {
  CallPlan plan;
  absl::Time started_at;
  absl::Time ended_at;
  std::optional<absl::Time> cancelled_at;
  grpc::StatusCode code = grpc::StatusCode::UNKNOWN;
  std::string reason;   // of the ErrorInfo; empty when there is none
  std::string message;  // of the status
  std::vector<Run> received;
  std::vector<std::string> damaged;  // texts that are no marks, or stand where they shouldn't

  // Notes what came: a mark, in the event of this number if the event has one.
  void Receive(std::string_view text, std::optional<int64_t> event_seq = std::nullopt);
  uint32_t received_count() const;
};

// A request, as the upstream saw it. Only those that arrived whole are.
struct Attempt {
  enum class End { kRunning, kDone, kClosedByPeer };

  uint32_t call = 0;
  int number = 0;  // from 1, in the order of arrival
  Fault fault = Fault::kNone;
  absl::Time arrived_at;
  int whole_events = 0;  // handed to the socket whole
  End end = End::kRunning;
  absl::Time ended_at;  // of whatever end it was
};

// A call, as igptd logged it.
struct LogLine {
  uint32_t call = 0;
  std::string code;
  std::string reason;
  absl::Time time;
};

// While connections were refused.
struct Outage {
  absl::Time begin;
  absl::Time end = absl::InfiniteFuture();
};

struct History {
  int max_attempts = 3;
  std::vector<CallRecord> calls;
  std::vector<Attempt> attempts;
  std::vector<LogLine> log;
  std::vector<Outage> outages;
  std::vector<std::string> incidents;  // what nothing may lead to, and was seen on the way
};

// Collects a History. Thread-safe.
class Recorder {
 public:
  // The number by which the attempt is known from here on.
  size_t Arrived(uint32_t call, const std::function<Fault(int number)>& fault_of, int* number);
  void Sent(size_t attempt, int whole_events);
  void Ended(size_t attempt, Attempt::End end);

  void Add(CallRecord call);
  // The call lines of an igptd's log; its other lines are ignored.
  void AddLog(const std::string& lines);
  void OutageBegins();
  void OutageEnds();
  void AddIncident(std::string what);

  // Waits until no request runs; in vain, when one runs on.
  void AwaitNoneRunning(absl::Duration limit) const;
  // Once nothing writes any more.
  History Take();

 private:
  mutable std::mutex mutex_;
  History history_;
  mutable std::condition_variable changed_;
  std::deque<uint8_t> attempts_of_call_;
  int running_ = 0;
};

}  // namespace igpt::soak
