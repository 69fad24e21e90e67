// A call's place in a distributed trace: W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context-1/).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/observe/trace_options.h"

namespace igptd {

// igptd's own span of a call, as the headers that igptd sends to iGPT.
struct TraceContext {
  std::string traceparent = {};  // of version 00
  std::string tracestate = {};   // the caller's, or empty; written by others, so not for logs
  uint64_t parent_id = 0;        // the caller's span; 0: the call starts the trace
  bool recorded = false;         // igptd exports the span

  std::string_view trace_id() const { return std::string_view(traceparent).substr(3, 32); }
  std::string_view span_id() const { return std::string_view(traceparent).substr(36, 16); }
  bool sampled() const { return traceparent.ends_with('1'); }
};

// Makes a new span in the trace that these values of the metadata `traceparent` and `tracestate` name. If there isn't
// exactly one well-formed `traceparent`, starts a new trace, which isn't sampled.
TraceContext ContinueTrace(const std::vector<std::string_view>& traceparents,
                           const std::vector<std::string_view>& tracestates);

// The digits of a span's id.
std::string SpanIdDigits(uint64_t id);

// Decides whether the span is recorded, and makes the flag `sampled` say so.
void Sample(const Sampling& sampling, TraceContext& trace);

// The fields of version 00, which later versions may only extend. Views of `header`; nullopt if it is malformed.
struct TraceParent {
  std::string_view trace_id;
  std::string_view parent_id;
  bool sampled = false;
};
std::optional<TraceParent> ParseTraceparent(std::string_view header);

// Joins all `tracestate` values of the metadata, in order. Empty if any part is malformed, or if the result has more
// than 32 members or 512 bytes.
std::string ParseTracestate(const std::vector<std::string_view>& headers);

}  // namespace igptd
