#include "soak/report.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace igpt::soak {
namespace {

constexpr size_t kMaxViolations = 20;

using Delays = std::map<std::string, std::vector<double>>;  // in milliseconds

// From the caller's end of a call (cancel or deadline) to the end of the request that was running. A call that waits to
// retry has no request, so its log line counts instead.
Delays CollectDelays(const History& history) {
  std::map<uint32_t, const CallRecord*> given_up;
  for (const CallRecord& call : history.calls) {
    if (call.code == grpc::StatusCode::CANCELLED || call.code == grpc::StatusCode::DEADLINE_EXCEEDED) {
      given_up[call.plan.call] = &call;
    }
  }
  const auto given_up_at = [](const CallRecord& call) {
    return call.cancelled_at.value_or(call.started_at + call.plan.deadline);
  };
  Delays delays;
  for (const Attempt& attempt : history.attempts) {
    const auto found = given_up.find(attempt.call);
    if (found == given_up.end() || attempt.end != Attempt::End::kClosedByPeer) continue;
    const CallRecord& call = *found->second;
    const MonotonicTime begin = std::max(given_up_at(call), attempt.arrived_at);
    if (begin == MonotonicTime::InfiniteFuture() || attempt.ended_at < begin) continue;
    const std::string phase =
        call.cancelled_at.has_value() ? absl::StrCat("cancel ", ToText(call.plan.cancel)) : std::string("deadline");
    delays[phase].push_back(absl::ToDoubleMilliseconds(attempt.ended_at - begin));
    delays["all"].push_back(delays[phase].back());
  }
  for (const LogLine& line : history.log) {
    const auto found = given_up.find(line.call);
    if (found == given_up.end() || found->second->plan.cancel != Cancel::kRetryDelay ||
        !found->second->cancelled_at.has_value()) {
      continue;
    }
    const absl::Duration delay = found->second->started_at + line.duration - *found->second->cancelled_at;
    delays["cancel in retry delay, to its log line"].push_back(std::max(0.0, absl::ToDoubleMilliseconds(delay)));
  }
  return delays;
}

double Percentile(const std::vector<double>& sorted, double percent) {
  const auto index = static_cast<size_t>(static_cast<double>(sorted.size()) * percent / 100);
  return sorted[std::min(index, sorted.size() - 1)];
}

std::string DelayTable(const History& history) {
  std::string text = absl::StrFormat("%-42s %7s %8s %8s %8s %8s\n", "from the caller's end to a closed socket (ms)",
                                     "number", "p50", "p99", "p99.9", "max");
  for (auto& [phase, delays] : CollectDelays(history)) {
    std::vector<double> sorted = delays;
    std::sort(sorted.begin(), sorted.end());
    absl::StrAppend(
        &text, absl::StrFormat("  %-43s %7d %8.1f %8.1f %8.1f %8.1f\n", phase, sorted.size(), Percentile(sorted, 50),
                               Percentile(sorted, 99), Percentile(sorted, 99.9), sorted.back()));
  }
  return text;
}

std::string Counts(const History& history) {
  std::map<std::string, int> by_status;
  uint64_t events = 0;
  for (const CallRecord& call : history.calls) {
    ++by_status[absl::StrCat(call.code, call.reason.empty() ? "" : "/", call.reason)];
    events += call.received_count();
  }
  std::string text = absl::StrCat(history.calls.size(), " calls, ", events, " events, ", history.attempts.size(),
                                  " requests, ", history.outages.size(), " outages; by status:");
  for (const auto& [status, count] : by_status) absl::StrAppend(&text, " ", status, "=", count);
  return text + "\n";
}

}  // namespace

std::string Report(const Circumstances& circumstances, const History& history,
                   const std::vector<Violation>& violations) {
  std::string text;
  for (size_t i = 0; i < std::min(violations.size(), kMaxViolations); ++i) {
    const Violation& violation = violations[i];
    if (violation.call.has_value()) {
      absl::StrAppend(&text, "call ", *violation.call, ": ", violation.what, "\n", Describe(history, *violation.call));
    } else {
      absl::StrAppend(&text, violation.what, "\n");
    }
  }
  absl::StrAppend(&text, DelayTable(history), Counts(history));
  absl::StrAppend(&text, violations.empty() ? "PASS" : "FAIL",
                  absl::StrFormat(": %d violations in %d calls, %.1f minutes, seed %d; %d igptds replaced, %d keys, "
                                  "%d clock steps, %d gzip bombs, %d attackers' connections\n",
                                  violations.size(), history.calls.size(), circumstances.minutes, circumstances.seed,
                                  circumstances.replaced, circumstances.keys, circumstances.clock_steps,
                                  circumstances.bombs, circumstances.attacks));
  return text;
}

}  // namespace igpt::soak
