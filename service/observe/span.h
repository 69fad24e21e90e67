// What is exported of a call and of its requests to iGPT, by OpenTelemetry's semantic conventions for RPC and for HTTP.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "igpt/observer.h"
#include "service/observe/call_record.h"

namespace igptd {

// The version of the conventions.
inline constexpr char kSchemaUrl[] = "https://opentelemetry.io/schemas/1.45.0";

// Holds nothing that a caller, a user or iGPT wrote. Ids are hexadecimal.
struct Span {
  using Attribute = std::pair<std::string_view, std::variant<std::string, int64_t>>;

  bool of_server = false;  // of a call, otherwise of a request to iGPT
  std::string name;
  std::string trace_id;
  std::string span_id;
  std::string parent_id;  // empty: it has none
  absl::Time start;
  absl::Duration duration;
  bool failed = false;
  std::vector<Attribute> attributes;
};

// Where requests go.
struct UpstreamAddress {
  std::string url;   // with a slash at its end
  std::string path;  // of that URL
  std::string host;
  int port = 0;
};

// Of the SDK's option `base_url`, which is valid.
UpstreamAddress ParseUpstream(std::string_view base_url);

// Of a call that is recorded.
Span SpanOf(const CallRecord& call);

// Of a request that ended now and was sent within a trace.
Span SpanOf(const igpt::RequestReport& request, const UpstreamAddress& upstream, absl::Time now);

}  // namespace igptd
