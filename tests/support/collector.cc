#include "tests/support/collector.h"

#include "gtest/gtest.h"
#include "igpt/monotonic_time.h"
#include "nlohmann/json.hpp"

namespace igpt::testing {
namespace {

using nlohmann::json;

// OTLP writes numbers of 64 bits as strings.
std::string Text(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string ValueOf(const json& value) {
  return Text(value.contains("stringValue") ? value["stringValue"] : value.value("intValue", value));
}

ExportedSpan SpanFrom(const json& object) {
  constexpr int kServer = 2;  // the numbers are OTLP's
  constexpr int kError = 2;
  ExportedSpan span = {.of_server = object.at("kind") == kServer,
                       .name = object.at("name"),
                       .trace_id = object.at("traceId"),
                       .span_id = object.at("spanId"),
                       .parent_id = object.value("parentSpanId", ""),
                       .start = std::stoll(Text(object.at("startTimeUnixNano"))),
                       .end = std::stoll(Text(object.at("endTimeUnixNano")))};
  const json status = object.value("status", json::object());
  span.failed = status.value("code", 0) == kError;
  span.description = status.value("message", "");
  for (const json& attribute : object.value("attributes", json::array())) {
    span.attributes[attribute.at("key")] = ValueOf(attribute.at("value"));
  }
  return span;
}

std::vector<ExportedSpan> SpansIn(const std::vector<HttpRequest>& requests) {
  std::vector<ExportedSpan> spans;
  for (const HttpRequest& request : requests) {
    const json body = json::parse(request.body);
    for (const json& resource : body.at("resourceSpans")) {
      for (const json& scope : resource.at("scopeSpans")) {
        for (const json& span : scope.at("spans")) spans.push_back(SpanFrom(span));
      }
    }
  }
  return spans;
}

}  // namespace

Collector::Collector(ScriptedHttpServer::Mode mode) : server(mode) {
  server.OnRequest([](Exchange& exchange) { exchange.Answer(200, "{}"); });
}

std::vector<std::string> Collector::Environment() const {
  return {"IGPT_API_KEY=ak:test", "OTEL_EXPORTER_OTLP_ENDPOINT=" + server.url(),
          "OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "OTEL_BSP_SCHEDULE_DELAY=10", "http_proxy="};
}

std::vector<ExportedSpan> Collector::AwaitSpans(size_t count) const {
  const MonotonicTime limit = MonotonicTime::Now() + kWaitLimit;
  for (;;) {
    const std::vector<HttpRequest> requests = server.requests();
    std::vector<ExportedSpan> spans = SpansIn(requests);
    if (spans.size() >= count) return spans;
    if (!server.AwaitRequests(requests.size() + 1, limit - MonotonicTime::Now())) {
      ADD_FAILURE() << "the collector got only " << spans.size() << " of " << count << " spans";
      return spans;
    }
  }
}

}  // namespace igpt::testing
