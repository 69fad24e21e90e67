#include "service/access/audit.h"

#include "service/contract/call_status.h"
#include "service/observe/log.h"

namespace igptd {

Audit::Audit() : summer_([this] { SumUp(); }) {}

Audit::~Audit() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  summer_.join();
}

void Audit::Denied(const CallRecord& record, std::string_view host, igpt::v1::ErrorReason reason) {
  const std::lock_guard lock(mutex_);
  const bool begins = limit_.end() == igpt::MonotonicTime::InfiniteFuture();
  // An expired token proves nothing: somebody may have found it.
  const bool known = reason != igpt::v1::ERROR_REASON_CALLER_TOKEN_EXPIRED;
  const bool may_log = limit_.MayLog(known ? record.caller : "", host, igpt::MonotonicTime::Now());
  if (begins) changed_.notify_one();
  if (!may_log) return;
  LogLine line = LogLine::ForAuditors("denied");
  line.With("method", record.method).With("reason", ReasonName(reason));
  if (!record.caller.empty()) line.With("caller", record.caller);
  if (!record.user_hash.empty()) line.With("user", record.user_hash);
  line.With("peer", host).With("request_id", record.request_id);
}

void Audit::TokenEndsSoon(const std::string& caller, absl::Duration left) {
  constexpr absl::Duration kPause = absl::Hours(24);
  const igpt::MonotonicTime now = igpt::MonotonicTime::Now();
  const std::lock_guard lock(mutex_);
  const auto [told, first] = told_of_end_.try_emplace(caller, now);
  if (!first && now - told->second < kPause) return;
  told->second = now;
  LogLine(LogLevel::kWarn, "token ends soon").With("caller", caller).With("hours", absl::ToInt64Hours(left));
}

void Audit::SumUp() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    const absl::Duration left = limit_.end() - igpt::MonotonicTime::Now();
    if (left == absl::InfiniteDuration()) {
      changed_.wait(lock);
    } else if (left > absl::ZeroDuration()) {
      changed_.wait_for(lock, absl::ToChronoNanoseconds(left));
    } else {
      LogLeftOut();
    }
  }
  LogLeftOut();
}

void Audit::LogLeftOut() {
  for (const DenialLimit::LeftOut& left_out : limit_.Take()) {
    LogLine line = LogLine::ForAuditors("denied, left out");
    line.With("calls", left_out.calls);
    if (!left_out.caller.empty()) line.With("caller", left_out.caller);
    if (!left_out.address.empty()) line.With("peer", left_out.address);
  }
}

}  // namespace igptd
