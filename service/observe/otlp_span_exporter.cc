#include <opentelemetry/exporters/otlp/otlp_http_exporter_factory.h>
#include <opentelemetry/exporters/otlp/otlp_http_exporter_options.h>
#include <opentelemetry/sdk/instrumentationscope/instrumentation_scope.h>
#include <opentelemetry/sdk/resource/resource.h>
#include <opentelemetry/sdk/trace/batch_span_processor.h>
#include <opentelemetry/sdk/trace/batch_span_processor_options.h>
#include <opentelemetry/sdk/trace/exporter.h>
#include <opentelemetry/sdk/trace/recordable.h>
#include <opentelemetry/trace/propagation/http_trace_context.h>

#include <chrono>
#include <future>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>

#include "igpt/version.h"
#include "service/observe/log.h"
#include "service/observe/otel_log.h"
#include "service/observe/span_exporter.h"

namespace igptd {
namespace {

namespace nostd = opentelemetry::nostd;
namespace otlp = opentelemetry::exporter::otlp;
namespace resource = opentelemetry::sdk::resource;
namespace scope = opentelemetry::sdk::instrumentationscope;
namespace sdk = opentelemetry::sdk::trace;
namespace trace = opentelemetry::trace;
using opentelemetry::sdk::common::ExportResult;
using trace::propagation::HttpTraceContext;

nostd::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

// Counts what becomes of the spans of another exporter. It is called on one thread.
class CountedExporter final : public sdk::SpanExporter {
 public:
  // `queued`: how many spans wait to be exported.
  CountedExporter(std::unique_ptr<sdk::SpanExporter> exporter, SpanCounts& counts, std::atomic<size_t>& queued)
      : exporter_(std::move(exporter)), counts_(counts), queued_(queued) {}

  std::unique_ptr<sdk::Recordable> MakeRecordable() noexcept override { return exporter_->MakeRecordable(); }

  ExportResult Export(const nostd::span<std::unique_ptr<sdk::Recordable>>& spans) noexcept override {
    queued_ -= spans.size();
    (void)TakeOtelError();
    const ExportResult result = exporter_->Export(spans);
    // Before version 1.28, OTLP's exporter says only in its log that it failed.
    const bool failed = TakeOtelError() || result != ExportResult::kSuccess;
    (failed ? counts_.export_failed : counts_.exported) += static_cast<int64_t>(spans.size());
    return result;
  }

  bool ForceFlush(std::chrono::microseconds timeout) noexcept override { return exporter_->ForceFlush(timeout); }
  bool Shutdown(std::chrono::microseconds timeout) noexcept override { return exporter_->Shutdown(timeout); }

 private:
  const std::unique_ptr<sdk::SpanExporter> exporter_;
  SpanCounts& counts_;
  std::atomic<size_t>& queued_;
};

std::unique_ptr<sdk::SpanExporter> OtlpExporter(const TraceOptions& options) {
  otlp::OtlpHttpExporterOptions otlp_options;  // reads the variables of headers, certificates and keys
  otlp_options.url = options.url;
  otlp_options.content_type =
      options.json ? otlp::HttpRequestContentType::kJson : otlp::HttpRequestContentType::kBinary;
  otlp_options.use_json_name = true;  // as OTLP demands
  otlp_options.timeout = absl::ToChronoMilliseconds(options.timeout);
#ifdef ENABLE_OTLP_COMPRESSION_PREVIEW
  otlp_options.compression = options.gzip ? "gzip" : "none";
#else
  otlp_options.compression = "none";
  if (options.gzip) {
    Log(LogLevel::kWarn,
        "OTEL_EXPORTER_OTLP_COMPRESSION: this igptd's opentelemetry-cpp can't compress; spans are sent as they are");
  }
#endif
  return otlp::OtlpHttpExporterFactory::Create(otlp_options);
}

sdk::BatchSpanProcessorOptions BatchOptions(const TraceOptions& options) {
  sdk::BatchSpanProcessorOptions batch;
  batch.max_queue_size = options.queue_size;
  batch.schedule_delay_millis = absl::ToChronoMilliseconds(options.delay);
  batch.max_export_batch_size = options.batch_size;
  return batch;
}

// What the variables say of this process, and otherwise what it is.
resource::Resource ThisProcess() {
  constexpr char kName[] = "service.name";
  resource::ResourceAttributes attributes = {{"service.version", igpt::kVersion}};
  const resource::Resource named = resource::Resource::Create({});
  const auto name = named.GetAttributes().find(kName);
  const auto* text = name == named.GetAttributes().end() ? nullptr : nostd::get_if<std::string>(&name->second);
  if (text == nullptr || text->starts_with("unknown_service")) attributes.SetAttribute(kName, "igptd");
  return resource::Resource::Create(attributes);
}

class OtlpSpanExporter final : public SpanExporter {
 public:
  OtlpSpanExporter(const TraceOptions& options, SpanCounts& counts)
      : queue_size_(options.queue_size),
        counts_(counts),
        resource_(ThisProcess()),
        scope_(scope::InstrumentationScope::Create("igptd", igpt::kVersion, kSchemaUrl)),
        processor_(std::make_unique<CountedExporter>(OtlpExporter(options), counts, queued_), BatchOptions(options)) {}

  // Spans are made when they have ended, so there is no need for a tracer: nothing else can ask for the current span.
  void Export(const Span& span) override {
    if (queued_.fetch_add(1) >= queue_size_) {
      --queued_;
      ++counts_.queue_full;
      return;
    }
    std::unique_ptr<sdk::Recordable> record = processor_.MakeRecordable();
    const trace::TraceFlags sampled(trace::TraceFlags::kIsSampled);
    record->SetIdentity(trace::SpanContext(HttpTraceContext::TraceIdFromHex(View(span.trace_id)),
                                           HttpTraceContext::SpanIdFromHex(View(span.span_id)), sampled,
                                           /*is_remote=*/false),
                        HttpTraceContext::SpanIdFromHex(View(span.parent_id)));
    record->SetTraceFlags(sampled);
    record->SetResource(resource_);
    record->SetInstrumentationScope(*scope_);
    record->SetName(View(span.name));
    record->SetSpanKind(span.of_server ? trace::SpanKind::kServer : trace::SpanKind::kClient);
    record->SetStartTime(opentelemetry::common::SystemTimestamp(absl::ToChronoTime(span.start)));
    record->SetDuration(absl::ToChronoNanoseconds(span.duration));
    if (span.failed) record->SetStatus(trace::StatusCode::kError, "");
    for (const auto& [name, value] : span.attributes) {
      if (const auto* text = std::get_if<std::string>(&value)) {
        record->SetAttribute(View(name), View(*text));
      } else {
        record->SetAttribute(View(name), std::get<int64_t>(value));
      }
    }
    processor_.OnEnd(std::move(record));
  }

  // The library's own shutdown takes as long as the collector lets it.
  bool Stop(absl::Duration limit) override {
    std::packaged_task<void()> shutdown([this] { processor_.Shutdown(); });
    const std::future<void> done = shutdown.get_future();
    std::thread(std::move(shutdown)).detach();
    if (done.wait_for(absl::ToChronoMilliseconds(limit)) == std::future_status::ready) return true;
    EndOtelLog();
    return false;
  }

 private:
  const size_t queue_size_;
  SpanCounts& counts_;
  std::atomic<size_t> queued_ = 0;  // may be more for a moment
  const resource::Resource resource_;
  const nostd::unique_ptr<scope::InstrumentationScope> scope_;
  sdk::BatchSpanProcessor processor_;
};

}  // namespace

std::unique_ptr<SpanExporter> SpanExporter::Start(const TraceOptions& options, SpanCounts& counts) {
  TakeOtelLog();
  return std::make_unique<OtlpSpanExporter>(options, counts);
}

}  // namespace igptd
