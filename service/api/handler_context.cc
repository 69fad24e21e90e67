#include "service/api/handler_context.h"

#include <string>
#include <string_view>
#include <vector>

#include "service/access/entry.h"
#include "service/rpc/metadata.h"

namespace igptd {

igpt::CallOptions OptionsFor(const HandlerContext& context, rpc::Call& call) {
  igpt::CallOptions options;
  options.deadline = call.deadline();
  options.api_key = KeyOf(call);
  options.throttle_group = call.record().caller;
  options.request_id = call.record().request_id;
  const TraceContext& trace = call.record().trace;
  // Of a call that is recorded, so is each request, as a span below the call's.
  if (trace.recorded) {
    options.traceparent = trace.traceparent;
  } else {
    options.headers.emplace_back("traceparent", trace.traceparent);
  }
  if (!trace.tracestate.empty()) options.headers.emplace_back("tracestate", trace.tracestate);
  if (context.forward_faults) {
    const std::vector<std::string_view> faults = rpc::ValuesOf(call.context(), "x-sandbox-fault");
    if (!faults.empty()) options.headers.emplace_back("X-Sandbox-Fault", std::string(faults.front()));
  }
  return options;
}

}  // namespace igptd
