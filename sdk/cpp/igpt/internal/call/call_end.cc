#include "igpt/internal/call/call_end.h"

#include <optional>

#include "absl/time/clock.h"
#include "igpt/error.h"
#include "igpt/internal/base/string_view.h"
#include "igpt/observer.h"

namespace igpt::internal {

CallInfo Refused(const CallOptions& options) {
  return {.request_id = options.request_id, .start_time = absl::Now()};
}

absl::Status WithFacts(const absl::Status& status, const CallInfo& call, int64_t events_delivered) {
  std::optional<Error> error = ErrorOf(status);
  if (!error.has_value()) return status;
  error->events_delivered = events_delivered;
  error->call = call;
  return MakeStatus(*error, StdView(status.message()));
}

void ReportCall(const ClientCore& core, const Route& route, const CallInfo& call, const absl::Status& status,
                int64_t events_delivered, bool held_back) {
  if (core.options.observer == nullptr) return;
  CallReport report = {.route = route.name(), .call = call};
  if (!status.ok()) report.error = KindOf(status);
  report.events_delivered = events_delivered;
  report.held_back = held_back;
  core.options.observer->OnCallEnd(report);
}

}  // namespace igpt::internal
