#include "service/limits/admission.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"

namespace igptd {
namespace {

constexpr std::memory_order kRelaxed = std::memory_order_relaxed;

// A guess: nobody knows when a call ends and makes room.
constexpr absl::Duration kRetryDelay = absl::Milliseconds(500);

// Below this limit, no part is reserved: one caller may take all of it.
constexpr int64_t kMinShared = 100;

// So many calls may run however short memory is: so few calls are not the reason, and shedding them would free nothing.
// They can use freed memory that the allocator keeps.
constexpr int64_t kAlwaysInFlight = 4;

// How many calls may be held for a limit of calls in flight: twice as many, and some more for small limits, since gRPC
// can be late to report that a call is over.
int64_t MostHeld(int64_t in_flight) {
  constexpr int64_t kSome = 64;
  return 2 * in_flight + kSome;
}

int64_t OrNone(int limit) {
  return limit > 0 ? limit : std::numeric_limits<int64_t>::max() / 4;
}

}  // namespace

// Guarded by its stripe's mutex.
struct Admission::Holder {
  std::string name;
  Stripe& stripe;
  int64_t in_flight = 0;  // without finishing calls
  int64_t held = 0;       // with finishing calls

  // The token bucket that limits the rate of starts.
  bool limited = false;
  double tokens = 0;
  igpt::MonotonicTime refilled_at = igpt::MonotonicTime::InfinitePast();

  // How long until the caller may start one more call. Refills the bucket up to now.
  absl::Duration UntilStart(const CallerLimits& limits, igpt::MonotonicTime now) {
    const bool was_limited = std::exchange(limited, limits.starts_per_second > 0);
    if (!limited) return absl::ZeroDuration();
    const double burst = std::max(1.0, limits.burst);
    const double earned = absl::ToDoubleSeconds(std::max(now - refilled_at, absl::ZeroDuration()));
    tokens = was_limited ? std::min(burst, tokens + earned * limits.starts_per_second) : burst;
    refilled_at = now;
    return tokens >= 1 ? absl::ZeroDuration() : absl::Seconds((1 - tokens) / limits.starts_per_second);
  }
};

std::string_view LimitName(Limit limit) {
  switch (limit) {
    case Limit::kInFlight:
      return "max_in_flight";
    case Limit::kCallerInFlight:
      return "max_in_flight_per_caller";
    case Limit::kCallerStarts:
      return "starts_per_second";
    case Limit::kMemory:
      return "memory";
    case Limit::kDescriptors:
      return "file_descriptors";
    case Limit::kStandardStreams:
      return "standard_streams";
    case Limit::kCallerStandardStreams:
      return "standard_streams_per_caller";
    case Limit::kCallerStandardAnswers:
      return "standard_answers_per_caller";
    case Limit::kLateRequests:
      return "late_requests";
    case Limit::kCallerLateRequests:
      return "late_requests_per_caller";
  }
  return "";
}

Admission::Admission(AdmissionOptions options) : options_(options) {}

Admission::~Admission() = default;

Admission::Permit::~Permit() {
  if (admission_ != nullptr) admission_->Return(*holder_, finishing_);
}

Admission::Permit::Permit(Permit&& other) noexcept
    : admission_(std::exchange(other.admission_, nullptr)), holder_(other.holder_), finishing_(other.finishing_) {}

Admission::Permit& Admission::Permit::operator=(Permit&& other) noexcept {
  std::swap(admission_, other.admission_);
  std::swap(holder_, other.holder_);
  std::swap(finishing_, other.finishing_);
  return *this;
}

void Admission::Permit::Finishing() {
  if (admission_ != nullptr && !std::exchange(finishing_, true)) admission_->Finishing(*holder_);
}

Admission::Decision Admission::Admit(const CallerLimits& limits, std::string_view host, Strains strains,
                                     igpt::MonotonicTime now) {
  const std::string_view name = limits.name.empty() ? host : limits.name;
  Stripe& stripe = stripes_[absl::HashOf(name) % kStripes];
  const std::lock_guard lock(stripe.mutex);
  std::unique_ptr<Holder>& found = stripe.holders[absl::string_view(name.data(), name.size())];
  if (found == nullptr) found = std::make_unique<Holder>(Holder{.name = std::string(name), .stripe = stripe});
  Holder& holder = *found;

  std::optional<Shed> shed = Check(holder, limits, options_.sheds_under_strain ? strains : Strains());
  if (!shed.has_value()) {
    const absl::Duration wait = holder.UntilStart(limits, now);
    if (wait > absl::ZeroDuration()) shed = Shed{Limit::kCallerStarts, wait};
  }
  if (!shed.has_value() && !Take()) shed = Shed{options_.all, kRetryDelay};
  if (shed.has_value()) {
    shed_[static_cast<size_t>(shed->limit)].fetch_add(1, kRelaxed);
    if (holder.held == 0 && !holder.limited) stripe.holders.erase(holder.name);
    return {Permit(), shed};
  }
  if (holder.limited) holder.tokens -= 1;
  if (holder.held == 0) holders_.fetch_add(1, kRelaxed);
  ++holder.in_flight;
  ++holder.held;
  return {Permit(*this, holder), std::nullopt};
}

// Why one more call of this caller must be shed, apart from its rate and from calls that others start at this moment.
std::optional<Admission::Shed> Admission::Check(const Holder& holder, const CallerLimits& limits,
                                                Strains strains) const {
  const int64_t own = OrNone(limits.max_in_flight > 0 ? limits.max_in_flight : options_.max_in_flight_per_caller);
  if (holder.in_flight >= own || holder.held >= MostHeld(own)) return Shed{options_.each, kRetryDelay};

  const int64_t max = OrNone(options_.max_in_flight);
  const int64_t all = held_.load(kRelaxed);
  if (strains.descriptors == Strain::kFull) return Shed{Limit::kDescriptors, kRetryDelay};
  if (strains.memory == Strain::kFull && all >= kAlwaysInFlight) return Shed{Limit::kMemory, kRetryDelay};

  // An equal share, counted as if there were one caller more.
  const bool greedy = holder.held > 0 && holder.held * (holders_.load(kRelaxed) + 1) >= all;
  if (!greedy) return std::nullopt;
  if (max >= kMinShared && in_flight_.load(kRelaxed) >= max - max / 10) return Shed{options_.all, kRetryDelay};
  if (strains.descriptors == Strain::kTight) return Shed{Limit::kDescriptors, kRetryDelay};
  if (strains.memory == Strain::kTight && all >= kAlwaysInFlight) return Shed{Limit::kMemory, kRetryDelay};
  return std::nullopt;
}

// Takes a place among all calls in flight, if one is free.
bool Admission::Take() {
  const int64_t max = OrNone(options_.max_in_flight);
  if (held_.load(kRelaxed) >= MostHeld(max)) return false;
  int64_t in_flight = in_flight_.load(kRelaxed);
  do {
    if (in_flight >= max) return false;
  } while (!in_flight_.compare_exchange_weak(in_flight, in_flight + 1, kRelaxed));
  held_.fetch_add(1, kRelaxed);
  return true;
}

void Admission::Finishing(Holder& holder) {
  in_flight_.fetch_sub(1, kRelaxed);
  const std::lock_guard lock(holder.stripe.mutex);
  --holder.in_flight;
}

void Admission::Return(Holder& holder, bool finishing) {
  held_.fetch_sub(1, kRelaxed);
  if (!finishing) in_flight_.fetch_sub(1, kRelaxed);
  Stripe& stripe = holder.stripe;
  const std::lock_guard lock(stripe.mutex);
  if (!finishing) --holder.in_flight;
  if (--holder.held > 0) return;
  holders_.fetch_sub(1, kRelaxed);
  if (!holder.limited) stripe.holders.erase(holder.name);
}

}  // namespace igptd
