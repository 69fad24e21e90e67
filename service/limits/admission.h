// Which calls may run: a limit for all calls, limits for each caller, and fair shares when room is short.
//
// A caller is an entry of the callers file; those without a name count by address. No caller can take everything: the
// last tenth of the limit for all, and any room while memory or file descriptors are short, goes only to callers that
// hold less than their share. So if one caller is greedy, only its calls are shed.
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
#include "igpt/monotonic_time.h"
#include "service/limits/caller_limits.h"

namespace igptd {

// How short a resource is that all calls need.
enum class Strain {
  kNone,
  kTight,  // calls of the heaviest callers are shed
  kFull,   // all calls are shed
};
struct Strains {
  Strain memory = Strain::kNone;
  Strain descriptors = Strain::kNone;
};

// The limit that a call was shed for.
enum class Limit {
  kInFlight,
  kCallerInFlight,
  kCallerStarts,
  kMemory,
  kDescriptors,
  kStandardStreams,
  kCallerStandardStreams,
  kCallerStandardAnswers,
  kLateRequests,
  kCallerLateRequests,
};
inline constexpr size_t kLimits = 10;
// The name in errors and metrics, such as "max_in_flight".
std::string_view LimitName(Limit limit);

struct AdmissionOptions {
  int max_in_flight = 20'000;        // 0: no limit
  int max_in_flight_per_caller = 0;  // for callers without a limit of their own; 0: no limit
  // What the two are called.
  Limit all = Limit::kInFlight;
  Limit each = Limit::kCallerInFlight;
  bool sheds_under_strain = true;  // when memory or file descriptors are short
};

// The streams of the standard services: health watches and reflection. One takes 20 KB, and 25 µs of CPU when its
// connection ends, so this many harm nobody.
inline constexpr AdmissionOptions kStandardStreams = {.max_in_flight = 4'000,
                                                      .max_in_flight_per_caller = 1'000,
                                                      .all = Limit::kStandardStreams,
                                                      .each = Limit::kCallerStandardStreams};

// Their other calls, which are over as soon as their caller reads the answer. Only a caller that doesn't gets to its
// limit, and there is none for all together: nobody can make igptd refuse a health check of somebody else.
inline constexpr AdmissionOptions kStandardAnswers = {.max_in_flight = 0,
                                                      .max_in_flight_per_caller = 1'000,
                                                      .each = Limit::kCallerStandardAnswers,
                                                      .sheds_under_strain = false};

// Requests that are late: not whole some time after their call began. One takes 20 KB, and up to 64 KiB of it may have
// arrived before igptd receives it.
inline constexpr AdmissionOptions kRequestsOnTheirWay = {.max_in_flight = 4'000,
                                                         .max_in_flight_per_caller = 2'000,
                                                         .all = Limit::kLateRequests,
                                                         .each = Limit::kCallerLateRequests,
                                                         .sheds_under_strain = false};

// Thread-safe. A call takes its caller's lock three times, each time for some ten nanoseconds. Must outlive its
// permits.
class Admission {
  struct Holder;

 public:
  explicit Admission(AdmissionOptions options);
  ~Admission();
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // A running call's place. Held until the call is over.
  class Permit {
   public:
    Permit() = default;
    ~Permit();
    Permit(Permit&& other) noexcept;
    Permit& operator=(Permit&& other) noexcept;

    // The call's request to iGPT has ended, so another call may run in its place. What is still to be written to
    // callers stays bounded: with such calls, one caller, and all together, may hold at most twice their limit and some
    // more.
    void Finishing();

   private:
    friend class Admission;
    Permit(Admission& admission, Holder& holder) : admission_(&admission), holder_(&holder) {}

    Admission* admission_ = nullptr;  // null: holds no place
    Holder* holder_ = nullptr;
    bool finishing_ = false;
  };

  // Why a call was shed.
  struct Shed {
    Limit limit = Limit::kInFlight;
    absl::Duration retry_after;  // an earlier attempt would most likely be shed again
  };
  struct Decision {
    Permit permit;
    std::optional<Shed> shed;  // nullopt: the call may run
  };
  // `host`: the caller's address, which tells callers without a name apart.
  Decision Admit(const CallerLimits& limits, std::string_view host, Strains strains, igpt::MonotonicTime now);

  // For metrics.
  int64_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }
  int64_t shed(Limit limit) const { return shed_[static_cast<size_t>(limit)].load(std::memory_order_relaxed); }

 private:
  struct Stripe {
    std::mutex mutex;
    // The mutex guards the map and the holders. Only callers that hold places or have a rate are in it.
    absl::flat_hash_map<std::string, std::unique_ptr<Holder>> holders;
  };
  static constexpr size_t kStripes = 16;

  std::optional<Shed> Check(const Holder& holder, const CallerLimits& limits, Strains strains) const;
  bool Take();
  void Finishing(Holder& holder);
  void Return(Holder& holder, bool finishing);

  const AdmissionOptions options_;
  std::array<Stripe, kStripes> stripes_;
  // All relaxed: each number stands alone, and none publishes other data.
  std::atomic<int64_t> in_flight_ = 0;  // without finishing calls
  std::atomic<int64_t> held_ = 0;       // with finishing calls
  std::atomic<int64_t> holders_ = 0;    // callers that hold places
  std::array<std::atomic<int64_t>, kLimits> shed_ = {};
};

}  // namespace igptd
