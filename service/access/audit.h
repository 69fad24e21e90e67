// The lines `denied`, for auditors, and what else is noticed about credentials. They don't depend on the log's level,
// other lines can't crowd them out, and nobody's denials can crowd out another's: a flood is logged as its first lines
// and a sum.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "igpt/monotonic_time.h"
#include "igpt/v1/error_reason.pb.h"
#include "service/access/denial_limit.h"
#include "service/observe/call_record.h"

namespace igptd {

// Thread-safe.
class Audit {
 public:
  Audit();
  // Logs what was left out until now.
  ~Audit();
  Audit(const Audit&) = delete;
  Audit& operator=(const Audit&) = delete;

  // A call was refused for this reason. `host`: as caller_connection.h's HostOf returns it.
  void Denied(const CallRecord& record, std::string_view host, igpt::v1::ErrorReason reason);

  // A caller used a token that has less than kEndsSoon left. Logged once a day.
  static constexpr absl::Duration kEndsSoon = absl::Hours(24 * 7);
  void TokenEndsSoon(const std::string& caller, absl::Duration left);

 private:
  void SumUp();
  // With the mutex held.
  void LogLeftOut();

  std::mutex mutex_;
  std::condition_variable changed_;
  DenialLimit limit_;
  absl::flat_hash_map<std::string, igpt::MonotonicTime> told_of_end_;  // by caller
  bool ending_ = false;
  std::thread summer_;  // sums up at the end of each interval; sleeps while there are no denials
};

}  // namespace igptd
