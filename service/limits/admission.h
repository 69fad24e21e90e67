// Which calls may run: a limit for all together, limits for each caller, and fair shares of what is left when there is
// little.
//
// A caller is who the callers file says, or without that whoever has an address of its own. No caller may take all: of
// the last tenth of --max_in_flight, and of all that comes while memory or file descriptors are short, only those get
// something who hold less than others. So one greedy caller is the only one to be shed for it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "service/limits/caller_limits.h"

namespace igptd {

struct AdmissionOptions {
  int max_in_flight = 20'000;        // 0: no limit
  int max_in_flight_per_caller = 0;  // of callers without a limit of their own; 0: none
};

// How short something is that all calls need.
enum class Strain {
  kNone,
  kTight,  // callers that hold more than others get no more of it
  kFull,   // nobody does
};
struct Strains {
  Strain memory = Strain::kNone;
  Strain descriptors = Strain::kNone;
};

// What there was no room in.
enum class Limit { kInFlight, kCallerInFlight, kCallerStarts, kMemory, kDescriptors };
inline constexpr size_t kLimits = 5;
// "max_in_flight", and so on: as it stands in errors and metrics.
std::string_view LimitName(Limit limit);

// Thread-safe. A call takes a lock of its caller's three times, each for some ten nanoseconds. Outlives its permits.
class Admission {
  struct Holder;

 public:
  explicit Admission(AdmissionOptions options);
  ~Admission();
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // That a call runs. Held until it is over.
  class Permit {
   public:
    Permit() = default;
    ~Permit();
    Permit(Permit&& other) noexcept;
    Permit& operator=(Permit&& other) noexcept;

    // The call has nothing to do with iGPT any more: another may run in its place. What is left to be written to its
    // caller is bounded still: with what is so, a caller, and all callers together, may hold twice their limit and
    // some more.
    void Finishing();

   private:
    friend class Admission;
    Permit(Admission& admission, Holder& holder) : admission_(&admission), holder_(&holder) {}

    Admission* admission_ = nullptr;  // null: of no call
    Holder* holder_ = nullptr;
    bool finishing_ = false;
  };

  // What a call that can't run is told.
  struct Shed {
    Limit limit = Limit::kInFlight;
    absl::Duration retry_after;  // before that it would be shed again, most likely
  };
  struct Decision {
    Permit permit;
    std::optional<Shed> shed;  // nullopt: it may run
  };
  // `host`: the caller's address, which tells those without a name apart.
  Decision Admit(const CallerLimits& limits, std::string_view host, Strains strains, absl::Time now);

  // For metrics.
  int64_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }
  int64_t shed(Limit limit) const { return shed_[static_cast<size_t>(limit)].load(std::memory_order_relaxed); }

 private:
  struct Stripe {
    std::mutex mutex;
    // Guarded by it, with what they hold. Only callers that hold something, or have a rate.
    absl::flat_hash_map<std::string, std::unique_ptr<Holder>> holders;
  };
  static constexpr size_t kStripes = 16;

  std::optional<Shed> Check(const Holder& holder, const CallerLimits& limits, Strains strains) const;
  bool Take();
  void Finishing(Holder& holder);
  void Return(Holder& holder, bool finishing);

  const AdmissionOptions options_;
  std::array<Stripe, kStripes> stripes_;
  // All relaxed: each is right by itself, and nothing is read by what they say.
  std::atomic<int64_t> in_flight_ = 0;  // without those that are finishing
  std::atomic<int64_t> held_ = 0;       // with them
  std::atomic<int64_t> holders_ = 0;    // callers that hold something
  std::array<std::atomic<int64_t>, kLimits> shed_ = {};
};

}  // namespace igptd
