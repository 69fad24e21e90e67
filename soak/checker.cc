#include "soak/checker.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace igpt::soak {
namespace {

using grpc::StatusCode;

// Everything that is known about one call.
struct Facts {
  const CallRecord* call = nullptr;
  std::vector<const Attempt*> attempts;
  std::vector<const LogLine*> log;
};

std::map<uint32_t, Facts> ByCall(const History& history) {
  std::map<uint32_t, Facts> all;
  for (const CallRecord& call : history.calls) all[call.plan.call].call = &call;
  for (const Attempt& attempt : history.attempts) all[attempt.call].attempts.push_back(&attempt);
  for (const LogLine& line : history.log) all[line.call].log.push_back(&line);
  return all;
}

std::string_view CodeName(StatusCode code) {
  constexpr std::string_view kNames[] = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return kNames[static_cast<size_t>(code)];
}

std::string StatusText(const CallRecord& call) {
  return absl::StrCat(std::string(CodeName(call.code)), "/", call.reason);
}

bool Is(const CallRecord& call, StatusCode code, std::string_view reason) {
  return call.code == code && call.reason == reason;
}

bool CancelledByCaller(const CallRecord& call) {
  return call.code == StatusCode::CANCELLED && call.cancelled_at.has_value();
}

// At the deadline, the caller's own library ends the call without a reason, or igptd ends it with one.
bool PastDeadline(const CallRecord& call) {
  constexpr absl::Duration kSlack = absl::Milliseconds(50);
  return call.code == StatusCode::DEADLINE_EXCEEDED && (call.reason.empty() || call.reason == "DEADLINE") &&
         call.ended_at - call.started_at >= call.plan.deadline - kSlack;
}

bool GivenUp(const CallRecord& call) {
  return CancelledByCaller(call) || PastDeadline(call);
}

bool During(const std::vector<Period>& periods, const CallRecord& call) {
  return std::any_of(periods.begin(), periods.end(), [&](const Period& period) {
    return period.begin <= call.ended_at && call.started_at <= period.end;
  });
}

// gRPC's client (1.51) acknowledges a drain's first GOAWAY before it writes the calls that it has begun. If no other
// call is open, igptd's gRPC then closes the connection, the call arrives at a closed socket, and its reset can
// overtake the second GOAWAY in haproxy: the client never learns that it may send the call again. igptd never saw it.
bool LostInDrain(const History& history, const Facts& facts) {
  return Is(*facts.call, StatusCode::UNAVAILABLE, "") && facts.call->message == "GOAWAY received" &&
         facts.attempts.empty() && facts.log.empty() && During(history.drains, *facts.call);
}

bool MayBeRepeated(const Attempt& attempt) {
  switch (attempt.fault) {
    case Fault::kStatus:
    case Fault::kRateLimited:
      return true;
    case Fault::kFin:
      return attempt.whole_events == 0;
    case Fault::kRst:  // may overtake data that was sent before it
      return true;
    default:
      return false;
  }
}

class CallChecker {
 public:
  CallChecker(const History& history, const Facts& facts, std::vector<Violation>& violations)
      : history_(history), facts_(facts), call_(*facts.call), violations_(violations) {}

  void Check() {
    CheckStatus();
    CheckAttempts();
    CheckLeftRunning();
    CheckLog();
  }

  // Whether igptd learned late that the caller had gone.
  bool held_up() const { return held_up_; }

 private:
  void Add(const std::string& what) { violations_.push_back({call_.plan.call, what}); }

  void CheckStatus() {
    if (GivenUp(call_)) return;
    const Attempt* last = facts_.attempts.empty() ? nullptr : facts_.attempts.back();
    const uint32_t received = call_.received_count();
    if (call_.code == StatusCode::OK) {
      if (last == nullptr) return Add("OK, but nothing was asked");
      if (last->fault != Fault::kNone) return Add(absl::StrCat("OK after ", ToText(last->fault)));
      if (received != static_cast<uint32_t>(call_.plan.events)) {
        return Add(absl::StrCat("OK with ", received, " of ", call_.plan.events, " events"));
      }
      if (!call_.received.empty() && call_.received[0].first.attempt != static_cast<uint32_t>(last->number)) {
        Add("OK with the events of an attempt that was not the last");
      }
      return;
    }
    // Attempts that got no connection did not arrive.
    if (Is(call_, StatusCode::UNAVAILABLE, "NETWORK_ERROR") && received == 0 && During(history_.outages, call_)) return;
    // Neither did requests that were held back because others had failed.
    if (last == nullptr && absl::StrContains(call_.message, "held back")) {
      if (call_.code != StatusCode::UNAVAILABLE) Add(absl::StrCat(StatusText(call_), " for a call that was held back"));
      return;
    }
    if (last == nullptr) return Add(absl::StrCat(StatusText(call_), ", but nothing was asked"));
    if (!Fits(*last, received)) {
      return Add(absl::StrCat(StatusText(call_), " after ", ToText(last->fault), " and ", last->whole_events, " events",
                              ": ", call_.message));
    }
    const auto sent = static_cast<uint32_t>(last->whole_events);
    if (received > sent || (received < sent && last->fault != Fault::kRst)) {
      Add(absl::StrCat(received, " events were received of ", sent, " that were sent before the ",
                       ToText(last->fault)));
    }
  }

  // Whether the status, an error, fits what the upstream did in the last attempt.
  bool Fits(const Attempt& last, uint32_t received) const {
    switch (last.fault) {
      case Fault::kFin:
      case Fault::kRst:
        return Is(call_, StatusCode::UNAVAILABLE, "STREAM_TRUNCATED") ||
               (received == 0 && Is(call_, StatusCode::UNAVAILABLE, "NETWORK_ERROR"));
      case Fault::kStall:
        return Is(call_, received == 0 ? StatusCode::UNAVAILABLE : StatusCode::DEADLINE_EXCEEDED, "IGPT_TIMEOUT");
      case Fault::kStatus:
        return Is(call_, StatusCode::UNAVAILABLE, "IGPT_UNAVAILABLE");
      case Fault::kRateLimited:
        return Is(call_, StatusCode::RESOURCE_EXHAUSTED, "IGPT_RATE_LIMITED");
      case Fault::kErrorEvent:
        return Is(call_, StatusCode::INVALID_ARGUMENT, "IGPT_PARAMS");
      case Fault::kMalformed:
        return Is(call_, StatusCode::DATA_LOSS, "STREAM_MALFORMED");
      case Fault::kUnfinished:
        return Is(call_, StatusCode::UNAVAILABLE, "STREAM_TRUNCATED");
      case Fault::kNone:
      case Fault::kFlood:
      case Fault::kCount:
        return false;
    }
    return false;
  }

  void CheckAttempts() {
    const std::vector<const Attempt*>& attempts = facts_.attempts;
    const bool once = call_.plan.rpc == Rpc::kDisconnect || call_.plan.rpc == Rpc::kAuthorize;
    const size_t most = once ? 1 : static_cast<size_t>(history_.max_attempts);
    if (attempts.size() > most) Add(absl::StrCat(attempts.size(), " requests arrived; ", most, " may"));
    for (size_t i = 0; i + 1 < attempts.size(); ++i) {
      const Attempt& attempt = *attempts[i];
      if (!MayBeRepeated(attempt)) {
        Add(absl::StrCat("asked again after ", ToText(attempt.fault), " and ", attempt.whole_events, " events"));
      }
    }
  }

  // What lasted so much longer than the call.
  bool TooLong(absl::Duration longer) {
    if (longer <= kLeftRunning) return false;
    if (!GivenUp(call_) || longer > kHeldUp) return true;
    held_up_ = true;
    return false;
  }

  void CheckLeftRunning() {
    for (const Attempt* attempt : facts_.attempts) {
      const absl::Duration late = attempt->arrived_at - call_.ended_at;
      if (late > kLeftRunning) {
        Add(absl::StrCat("attempt ", attempt->number, " arrived ", absl::FormatDuration(late),
                         " after the call's end"));
      }
      if (attempt->end == Attempt::End::kRunning) {
        Add(absl::StrCat("attempt ", attempt->number, " runs on for ever"));
      } else if (TooLong(attempt->ended_at - call_.ended_at)) {
        Add(absl::StrCat("attempt ", attempt->number, " ran on for ",
                         absl::FormatDuration(attempt->ended_at - call_.ended_at), " after the call's end"));
      }
    }
  }

  void CheckLog() {
    if (facts_.log.size() > 1) Add(absl::StrCat(facts_.log.size(), " log lines"));
    for (const LogLine* line : facts_.log) {
      const absl::Duration took = call_.ended_at - call_.started_at;
      if (line->duration < absl::ZeroDuration() || TooLong(line->duration - took)) {
        Add(absl::StrCat("logged as taking ", absl::FormatDuration(line->duration), ", took ",
                         absl::FormatDuration(took)));
      }
    }
    if (GivenUp(call_)) {
      // The call may never have reached igptd, unless the upstream got a request.
      if (facts_.log.empty() && !facts_.attempts.empty()) Add("asked, but no log line");
      return;
    }
    if (facts_.log.empty()) return Add("no log line");
    const LogLine& line = *facts_.log.front();
    // If the end raced with the caller's cancel, the caller may see another status than the log, but never OK.
    const bool raced = call_.plan.cancel != Cancel::kNever || call_.plan.deadline != absl::InfiniteDuration();
    if (line.code == CodeName(call_.code) && line.reason == call_.reason) return;
    if (raced && call_.code != StatusCode::OK) return;
    Add(absl::StrCat("logged as ", line.code, "/", line.reason, ", told as ", StatusText(call_)));
  }

  const History& history_;
  const Facts& facts_;
  const CallRecord& call_;
  std::vector<Violation>& violations_;
  bool held_up_ = false;
};

}  // namespace

std::vector<Violation> CheckReceived(const CallRecord& call) {
  std::vector<Violation> violations;
  const auto add = [&](const std::string& what) { violations.push_back({call.plan.call, what}); };
  for (const std::string& text : call.damaged) add("a damaged or misplaced event: " + text);
  uint32_t expected = 0;
  const Run* before = nullptr;
  for (const Run& run : call.received) {
    const Mark& first = run.first;
    if (first.call != call.plan.call) {
      add(absl::StrCat("an event of call ", first.call));
    } else if (first.user != call.plan.user) {
      add(absl::StrCat("an event of user ", first.user));
    } else if (before != nullptr && before->first.attempt != first.attempt) {
      add(absl::StrCat("events of attempts ", before->first.attempt, " and ", first.attempt));
    } else if (first.seq > expected) {
      add(absl::StrCat("events ", expected, " to ", first.seq - 1, " are lost, or come late"));
    } else if (first.seq < expected) {
      add(absl::StrCat("event ", first.seq, " is repeated, or out of order"));
    }
    expected = first.seq + run.count;
    before = &run;
  }
  return violations;
}

std::vector<Violation> Check(const History& history) {
  std::vector<Violation> violations;
  size_t lost = 0;
  size_t held_up = 0;
  for (const std::string& incident : history.incidents) violations.push_back({std::nullopt, incident});
  for (const auto& [number, facts] : ByCall(history)) {
    if (facts.call == nullptr) {
      violations.push_back({number, "a request or a log line of a call that nobody made"});
    } else if (LostInDrain(history, facts)) {
      ++lost;
    } else {
      const std::vector<Violation> received = CheckReceived(*facts.call);
      violations.insert(violations.end(), received.begin(), received.end());
      CallChecker checker(history, facts, violations);
      checker.Check();
      if (checker.held_up()) ++held_up;
    }
  }
  if (lost > history.drains.size()) {
    violations.push_back({std::nullopt, absl::StrCat(lost, " calls were lost in ", history.drains.size(), " drains")});
  }
  if (held_up > 1 + history.calls.size() / kCallsPerHeldUp) {
    violations.push_back({std::nullopt, absl::StrCat(held_up, " of ", history.calls.size(),
                                                     " calls ended late after their caller had gone")});
  }
  return violations;
}

std::string Describe(const History& history, uint32_t number) {
  const auto found = std::find_if(history.calls.begin(), history.calls.end(),
                                  [number](const CallRecord& call) { return call.plan.call == number; });
  if (found == history.calls.end()) return "  nothing else is known of it\n";
  const CallRecord& call = *found;
  const auto at = [&call](MonotonicTime time) {
    return absl::StrFormat("%+.1f ms", absl::ToDoubleMilliseconds(time - call.started_at));
  };
  std::string text = absl::StrCat("  plan: ", Describe(call.plan), "\n");
  for (const Attempt& attempt : history.attempts) {
    if (attempt.call != number) continue;
    constexpr const char* kEnds[] = {"running", "done", "closed by igptd"};
    absl::StrAppend(&text, "  attempt ", attempt.number, ": arrived ", at(attempt.arrived_at), ", ",
                    ToText(attempt.fault), ", ", attempt.whole_events, " events sent, ",
                    kEnds[static_cast<int>(attempt.end)], " ", at(attempt.ended_at), "\n");
  }
  if (call.cancelled_at.has_value()) absl::StrAppend(&text, "  cancelled ", at(*call.cancelled_at), "\n");
  for (const Run& run : call.received) {
    absl::StrAppend(&text, "  received ", run.count, " events from ", run.first.seq, " of call ", run.first.call,
                    ", user ", run.first.user, ", attempt ", run.first.attempt, "\n");
  }
  absl::StrAppend(&text, "  ended ", at(call.ended_at), " with ", StatusText(call), " ", call.message, "\n");
  for (const LogLine& line : history.log) {
    if (line.call == number) {
      absl::StrAppend(&text, "  logged ", line.code, "/", line.reason, " after ", absl::FormatDuration(line.duration),
                      "\n");
    }
  }
  return text;
}

}  // namespace igpt::soak
