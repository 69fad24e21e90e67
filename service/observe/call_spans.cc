#include "service/observe/call_spans.h"

#include "absl/time/clock.h"
#include "service/observe/trace_context.h"

namespace igptd {

void CallSpans::OnStart(CallRecord& call, igpt::MonotonicTime accepted_at, std::string_view client) const {
  Sample(sampling_, call.trace);
  if (!call.trace.recorded) return;
  call.start = absl::Now() - (igpt::MonotonicTime::Now() - accepted_at);
  call.client_address = client;
}

void CallSpans::OnEnd(const CallRecord& call) const {
  if (call.trace.recorded) exporter_.Export(SpanOf(call));
}

void CallSpans::OnRequestEnd(const igpt::RequestReport& request) const {
  if (!request.traceparent.empty()) exporter_.Export(SpanOf(request, upstream_, absl::Now()));
}

}  // namespace igptd
