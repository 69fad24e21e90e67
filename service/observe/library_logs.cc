#include "service/observe/library_logs.h"

#include <string>
#include <string_view>

#include "service/observe/log.h"
#include "service/system/library_versions.h"

#if IGPTD_LIBRARIES_LOG_BY_ABSEIL
#include "absl/log/globals.h"
#include "absl/log/initialize.h"
#include "absl/log/log_entry.h"
#include "absl/log/log_sink.h"
#include "absl/log/log_sink_registry.h"
#else
#include <grpc/support/log.h>

#include "google/protobuf/stubs/logging.h"
#endif

namespace igptd {
namespace {

// Messages of gRPC's HTTP/2 code quote what callers sent, such as the value of a bad header. So for those only the
// place in the source is logged.
void LogGrpc(bool error, std::string_view file, int line_number, std::string_view message) {
  LogLine line(error ? LogLevel::kDebug : LogLevel::kTrace, "grpc");
  line.With("file", file.substr(file.rfind('/') + 1)).With("line", line_number);
  if (file.find("/chttp2/") == std::string_view::npos) line.With("detail", message);
}

// Protobuf would write a line to stderr for every string in a request that is not UTF-8.
void LogProtobuf(std::string_view message) {
  LogLine(LogLevel::kDebug, "protobuf").With("detail", message);
}

#if IGPTD_LIBRARIES_LOG_BY_ABSEIL
class Sink final : public absl::LogSink {
  void Send(const absl::LogEntry& entry) override {
    if (entry.source_filename().find("/protobuf/") != std::string_view::npos) return LogProtobuf(entry.text_message());
    LogGrpc(entry.log_severity() >= absl::LogSeverity::kError, entry.source_filename(), entry.source_line(),
            entry.text_message());
  }
};
#endif

}  // namespace

#if IGPTD_LIBRARIES_LOG_BY_ABSEIL

// What ends the process goes to stderr too.
void DropLibraryLogs() {
  absl::InitializeLog();
  absl::SetStderrThreshold(absl::LogSeverityAtLeast::kFatal);
}

void TakeLibraryLogs() {
  DropLibraryLogs();
  absl::AddLogSink(new Sink);  // for as long as the process lives
}

#else

void DropLibraryLogs() {
  gpr_set_log_function([](gpr_log_func_args*) {});
  google::protobuf::SetLogHandler(nullptr);
}

void TakeLibraryLogs() {
  gpr_set_log_function([](gpr_log_func_args* args) {
    LogGrpc(args->severity == GPR_LOG_SEVERITY_ERROR, args->file, args->line, args->message);
  });
  google::protobuf::SetLogHandler([](google::protobuf::LogLevel /*level*/, const char* /*file*/, int /*line*/,
                                     const std::string& message) { LogProtobuf(message); });
}

#endif

}  // namespace igptd
