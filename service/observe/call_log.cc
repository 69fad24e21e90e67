#include "service/observe/call_log.h"

#include "service/contract/call_status.h"
#include "service/contract/code_names.h"
#include "service/observe/log.h"

namespace igptd {

void LogCall(const CallRecord& record) {
  LogLine line(LogLevel::kInfo, "call");
  line.With("method", record.method).With("code", CodeName(record.code));
  if (record.reason != igpt::v1::ERROR_REASON_UNSPECIFIED) line.With("reason", ReasonName(record.reason));
  line.With("duration", record.duration);
  if (record.first_event.has_value()) line.With("first_event", *record.first_event);
  line.With("attempts", record.attempts);
  line.With("events", record.events).With("bytes", record.bytes).With("request_id", record.request_id);
  line.With("trace_id", record.trace.trace_id()).With("span_id", record.trace.span_id());
  if (!record.caller.empty()) line.With("caller", record.caller);
  if (!record.user_hash.empty()) line.With("user", record.user_hash);
}

}  // namespace igptd
