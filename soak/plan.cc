#include "soak/plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace igpt::soak {
namespace {

constexpr uint32_t kUsers = 40;

// splitmix64, because the standard library's distributions may differ between machines.
class Dice {
 public:
  Dice(uint64_t seed, uint64_t call) : state_(seed * 0x9E3779B97F4A7C15U + call) { Next(); }

  // From `min` to `max`, inclusive.
  int Between(int min, int max) { return min + static_cast<int>(Next() % static_cast<uint64_t>(max - min + 1)); }
  bool Percent(int percent) { return Between(1, 100) <= percent; }
  absl::Duration Milliseconds(int min, int max) { return absl::Microseconds(Between(min * 1000, max * 1000)); }

 private:
  uint64_t Next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }

  uint64_t state_;
};

Rpc PickRpc(Dice& dice) {
  const int roll = dice.Between(1, 100);
  if (roll <= 60) return Rpc::kAsk;
  if (roll <= 68) return Rpc::kWholeAnswer;
  if (roll <= 80) return Rpc::kSearch;
  if (roll <= 88) return Rpc::kList;
  return roll <= 94 ? Rpc::kDisconnect : Rpc::kAuthorize;
}

int PickEvents(Dice& dice, Rpc rpc) {
  if (rpc == Rpc::kSearch || rpc == Rpc::kList) return dice.Between(0, 12);
  if (rpc != Rpc::kAsk) return 1;
  const int roll = dice.Between(1, 100);
  if (roll <= 40) return dice.Between(2, 10);
  return roll <= 85 ? dice.Between(10, 60) : dice.Between(60, 300);
}

void PickFault(Dice& dice, CallPlan& plan) {
  const int kinds = static_cast<int>(IsStream(plan) ? Fault::kUnfinished : Fault::kErrorEvent);
  plan.fault = static_cast<Fault>(dice.Between(1, kinds));
  if (plan.fault == Fault::kStall && dice.Percent(60)) plan.fault = Fault::kFin;  // stalls take long
  plan.faulty_attempts = dice.Percent(60) ? 1 : dice.Between(2, 9);
  plan.whole_before = dice.Between(-1, IsStream(plan) ? plan.events - 1 : 0);
  if (IsStream(plan) && dice.Percent(30)) plan.whole_before = dice.Between(-1, 0);
  if (plan.fault == Fault::kErrorEvent || plan.fault == Fault::kMalformed || plan.fault == Fault::kUnfinished) {
    plan.whole_before = std::max(plan.whole_before, IsStream(plan) ? 1 : 0);
  }
  plan.cut = dice.Percent(30) ? 0 : dice.Between(0, 999) / 1000.0;
  constexpr int kStatuses[] = {500, 502, 503, 504};
  plan.status = kStatuses[dice.Between(0, 3)];
}

// Picks when the caller cancels, and makes sure that the moment comes.
void PickCancel(Dice& dice, CallPlan& plan) {
  plan.cancel = static_cast<Cancel>(dice.Between(1, static_cast<int>(Cancel::kRetryDelay)));
  // Floods are expensive, so most of these become another kind of cancel.
  if (plan.cancel == Cancel::kPaused && dice.Percent(60)) plan.cancel = Cancel::kMidStream;
  plan.cancel_delay = dice.Milliseconds(0, 30);
  plan.faulty_attempts = 9;
  switch (plan.cancel) {
    case Cancel::kBeforeHead:
      plan.fault = Fault::kStall;
      plan.whole_before = -1;
      return;
    case Cancel::kMidStream:
      plan.rpc = Rpc::kAsk;
      plan.events = dice.Between(3, 40);
      plan.fault = dice.Percent(70) ? Fault::kStall : Fault::kFlood;
      plan.whole_before = plan.events - 1;
      plan.cancel_after = dice.Between(1, plan.events - 1);
      return;
    case Cancel::kPaused:
      plan.rpc = Rpc::kAsk;
      plan.fault = Fault::kFlood;
      plan.padding = 16'000;
      plan.cancel_delay = dice.Milliseconds(0, 3);
      return;
    case Cancel::kRetryDelay:
      if (plan.rpc == Rpc::kDisconnect || plan.rpc == Rpc::kAuthorize) plan.rpc = Rpc::kSearch;
      plan.fault = Fault::kRateLimited;
      return;
    default:
      plan.faulty_attempts = 0;
      return;
  }
}

}  // namespace

CallPlan PlanOf(uint64_t seed, uint32_t call) {
  Dice dice(seed, call);
  CallPlan plan;
  plan.call = call;
  plan.user = static_cast<uint32_t>(dice.Between(0, kUsers - 1));
  plan.rpc = PickRpc(dice);
  plan.events = PickEvents(dice, plan.rpc);
  plan.padding = static_cast<size_t>(dice.Percent(5) ? dice.Between(1000, 4000) : dice.Between(0, 200));
  if (IsStream(plan) && dice.Percent(50)) {
    // At most about two seconds in total.
    const int most = dice.Percent(60) ? 4 : 25;
    plan.pace = dice.Milliseconds(0, std::max(1, std::min(most, 2000 / plan.events)));
  }
  const int roll = dice.Between(1, 100);
  if (roll <= 22) {
    PickFault(dice, plan);
  } else if (roll <= 45) {
    PickCancel(dice, plan);
  } else if (roll <= 52) {
    plan.deadline = dice.Milliseconds(1, dice.Percent(50) ? 40 : 500);
  } else if (roll <= 56 && IsStream(plan)) {
    plan.read_delay = dice.Milliseconds(1, std::max(1, std::min(40, 1500 / plan.events)));
  }
  return plan;
}

bool IsStream(const CallPlan& plan) {
  return plan.rpc == Rpc::kAsk;
}

bool IsRun(const CallPlan& plan) {
  return plan.call % 2 != 0 && (plan.rpc == Rpc::kAsk || plan.rpc == Rpc::kWholeAnswer);
}

const char* ToText(Rpc rpc) {
  constexpr const char* kNames[] = {"Ask or Run", "Ask or Run (whole answer)", "Search", "List", "Disconnect",
                                    "Authorize"};
  return kNames[static_cast<int>(rpc)];
}

const char* ToText(Fault fault) {
  constexpr const char* kNames[] = {"no fault", "FIN",         "RST",       "stall",          "5xx",
                                    "429",      "error event", "malformed", "run unfinished", "flood"};
  return kNames[static_cast<int>(fault)];
}

const char* ToText(Cancel cancel) {
  constexpr const char* kNames[] = {"never",      "at once", "at any time",   "before the head",
                                    "mid-stream", "paused",  "in retry delay"};
  return kNames[static_cast<int>(cancel)];
}

std::string Describe(const CallPlan& plan) {
  std::string text = absl::StrFormat("%s of %d events for user %d, pace %s", ToText(plan.rpc), plan.events, plan.user,
                                     absl::FormatDuration(plan.pace));
  if (plan.faulty_attempts > 0) {
    absl::StrAppend(&text, "; ", ToText(plan.fault), " after ", plan.whole_before, " events and ", plan.cut,
                    ", in attempts 1 to ", plan.faulty_attempts);
  }
  if (plan.cancel != Cancel::kNever) absl::StrAppend(&text, "; cancelled ", ToText(plan.cancel));
  if (plan.deadline != absl::InfiniteDuration()) {
    absl::StrAppend(&text, "; deadline ", absl::FormatDuration(plan.deadline));
  }
  if (plan.read_delay > absl::ZeroDuration()) {
    absl::StrAppend(&text, "; reads every ", absl::FormatDuration(plan.read_delay));
  }
  return text;
}

}  // namespace igpt::soak
