// Where a call stands in a distributed trace: W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context-1/).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace igptd {

// igptd's own span of a call, as the headers that name it to whomever igptd asks.
struct TraceContext {
  std::string traceparent = {};  // of version 00
  std::string tracestate = {};   // the caller's, empty when there is none; what others wrote: not for logs

  std::string_view trace_id() const { return std::string_view(traceparent).substr(3, 32); }
  std::string_view span_id() const { return std::string_view(traceparent).substr(36, 16); }
};

// A new span in the trace that these values of the metadata `traceparent` and `tracestate` name. Without exactly one
// `traceparent`, or with a malformed one, in a new trace, which isn't sampled: igptd itself records no spans.
TraceContext ContinueTrace(const std::vector<std::string_view>& traceparents,
                           const std::vector<std::string_view>& tracestates);

// Of a `traceparent` what its version 00 has: later versions may only add to it. Views of `header`. nullopt for one
// that isn't well formed.
struct TraceParent {
  std::string_view trace_id;
  std::string_view parent_id;
  bool sampled = false;
};
std::optional<TraceParent> ParseTraceparent(std::string_view header);

// One `tracestate` of all those in the metadata, in order. Empty when any part of it is malformed, when it has more
// than 32 members, or more than 512 bytes.
std::string ParseTracestate(const std::vector<std::string_view>& headers);

}  // namespace igptd
