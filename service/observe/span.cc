#include "service/observe/span.h"

#include <algorithm>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "igpt/error.h"
#include "service/contract/call_status.h"
#include "service/contract/code_names.h"
#include "service/observe/trace_context.h"

namespace igptd {
namespace {

// Otherwise the method is one that igptd doesn't have.
bool IsKnown(std::string_view method) {
  return method.find('/') != std::string_view::npos;
}

// Of the codes that a server answers with, those that are its own failures, by the conventions for gRPC.
bool IsServersFailure(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::UNIMPLEMENTED:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DATA_LOSS:
      return true;
    default:
      return false;
  }
}

absl::string_view AbslView(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

UpstreamAddress ParseUpstream(std::string_view base_url) {
  while (base_url.ends_with('/')) base_url.remove_suffix(1);
  const size_t host_at = base_url.find("://") + 3;
  const size_t path_at = std::min(base_url.find('/', host_at), base_url.size());
  std::string_view host = base_url.substr(host_at, path_at - host_at);
  UpstreamAddress upstream = {.url = absl::StrCat(AbslView(base_url), "/"),
                              .path = absl::StrCat(AbslView(base_url.substr(path_at)), "/"),
                              .host = "",
                              .port = base_url.starts_with("https:") ? 443 : 80};
  const size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && !host.ends_with(']')) {
    (void)absl::SimpleAtoi(AbslView(host.substr(colon + 1)), &upstream.port);
    host = host.substr(0, colon);
  }
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  upstream.host = host;
  return upstream;
}

Span SpanOf(const CallRecord& call) {
  const std::string code(CodeName(call.code));
  Span span = {.of_server = true,
               // The conventions' names for what has none.
               .name = IsKnown(call.method) ? std::string(call.method) : "grpc",
               .trace_id = std::string(call.trace.trace_id()),
               .span_id = std::string(call.trace.span_id()),
               .parent_id = call.trace.parent_id == 0 ? "" : SpanIdDigits(call.trace.parent_id),
               .start = call.start,
               .duration = call.duration,
               .failed = IsServersFailure(call.code),
               .attributes = {{"rpc.system.name", "grpc"},
                              {"rpc.method", IsKnown(call.method) ? std::string(call.method) : "_OTHER"},
                              {"rpc.response.status_code", code},
                              {"client.address", call.client_address}}};
  if (span.failed) span.attributes.emplace_back("error.type", code);
  if (call.reason != igpt::v1::ERROR_REASON_UNSPECIFIED) {
    span.attributes.emplace_back("igptd.reason", std::string(ReasonName(call.reason)));
  }
  return span;
}

Span SpanOf(const igpt::RequestReport& request, const UpstreamAddress& upstream, absl::Time now) {
  const std::optional<TraceParent> own = ParseTraceparent(request.traceparent);
  const std::optional<TraceParent> parent = ParseTraceparent(request.parent);
  if (!own.has_value() || !parent.has_value()) return {};
  const std::string path = absl::StrCat(AbslView(request.route), "/");
  const std::string target = absl::StrCat(upstream.path, path);
  const bool refused = request.http_status >= 400;
  Span span = {.of_server = false,
               .name = absl::StrCat("POST ", target),
               .trace_id = std::string(own->trace_id),
               .span_id = std::string(own->parent_id),
               .parent_id = std::string(parent->parent_id),
               .start = now - request.duration,
               .duration = request.duration,
               .failed = refused || request.error.has_value(),
               .attributes = {{"http.request.method", "POST"},
                              {"url.full", absl::StrCat(upstream.url, path)},
                              {"url.template", target},
                              {"server.address", upstream.host},
                              {"server.port", int64_t{upstream.port}}}};
  if (request.resends > 0) span.attributes.emplace_back("http.request.resend_count", int64_t{request.resends});
  if (request.http_status > 0) {
    span.attributes.emplace_back("http.response.status_code", int64_t{request.http_status});
  }
  if (refused) {
    span.attributes.emplace_back("error.type", absl::StrCat(request.http_status));
  } else if (request.error.has_value()) {
    span.attributes.emplace_back("error.type", std::string(igpt::ErrorKindName(*request.error)));
  }
  return span;
}

}  // namespace igptd
