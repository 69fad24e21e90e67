// What happened in a soak, as seen from both sides of igptd.
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
#include "igpt/monotonic_time.h"
#include "soak/mark.h"
#include "soak/plan.h"

namespace igpt::soak {

// The callers' name in igptd's callers file, and their token.
inline constexpr char kCaller[] = "soak";
inline constexpr char kToken[] = "soak-token";

// Consecutive marks: `count` of them from `first` on. A correct stream is a single run.
struct Run {
  Mark first;
  uint32_t count = 1;
};

// A call, as its caller saw it.
struct CallRecord {
  CallPlan plan;
  MonotonicTime started_at;
  MonotonicTime ended_at;
  std::optional<MonotonicTime> cancelled_at;
  grpc::StatusCode code = grpc::StatusCode::UNKNOWN;
  std::string reason;   // of the ErrorInfo; empty if there is none
  std::string message;  // of the status
  std::vector<Run> received;
  std::vector<std::string> damaged;  // texts that are not marks, or are misplaced

  // Records a received text, which should be a mark. `event_seq`: the event's number, if it has one.
  void Receive(std::string_view text, std::optional<int64_t> event_seq = std::nullopt);
  uint32_t received_count() const;
};

// A request, as the upstream saw it. Only requests that arrived completely are recorded.
struct Attempt {
  enum class End { kRunning, kDone, kClosedByPeer };

  uint32_t call = 0;
  int number = 0;  // from 1, in the order of arrival
  Fault fault = Fault::kNone;
  MonotonicTime arrived_at;
  int whole_events = 0;  // events that were completely written to the socket
  End end = End::kRunning;
  MonotonicTime ended_at;  // however it ended
};

// A call, as igptd logged it.
struct LogLine {
  uint32_t call = 0;
  std::string code;
  std::string reason;
  absl::Duration duration;
};

struct Period {
  MonotonicTime begin;
  MonotonicTime end = MonotonicTime::InfiniteFuture();
};

struct History {
  int max_attempts = 3;
  std::vector<CallRecord> calls;
  std::vector<Attempt> attempts;
  std::vector<LogLine> log;
  std::vector<Period> outages;         // when connections to the upstream failed
  std::vector<Period> drains;          // from an igptd's SIGTERM to its exit
  std::vector<std::string> incidents;  // other things that must never happen, but did
};

// Collects a History. Thread-safe.
class Recorder {
 public:
  // Returns the number that identifies the attempt from now on.
  size_t Arrived(uint32_t call, const std::function<Fault(int number)>& fault_of, int* number);
  void Sent(size_t attempt, int whole_events);
  void Ended(size_t attempt, Attempt::End end);

  void Add(CallRecord call);
  // Adds the lines of calls from an igptd's log; other lines are ignored, and those of attacks: an attacker without a
  // token has no name there.
  void AddLog(const std::string& lines);
  void OutageBegins();
  void OutageEnds();
  void AddDrain(Period drain);
  void AddIncident(std::string what);

  // Waits until no request is running, or `limit` has passed.
  void AwaitNoneRunning(absl::Duration limit) const;
  // Call it once nothing writes any more.
  History Take();

 private:
  mutable std::mutex mutex_;
  History history_;
  mutable std::condition_variable changed_;
  std::deque<uint8_t> attempts_of_call_;
  int running_ = 0;
};

}  // namespace igpt::soak
