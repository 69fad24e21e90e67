#include "service/observe/library_logs.h"

#include <grpc/support/log.h>

#include <string>
#include <string_view>

#include "google/protobuf/stubs/logging.h"
#include "service/observe/log.h"

namespace igptd {
namespace {

// Messages of gRPC's HTTP/2 code quote what callers sent, such as the value of a bad header. So for those only the
// place in the source is logged.
void LogGrpc(gpr_log_func_args* args) {
  const LogLevel level = args->severity == GPR_LOG_SEVERITY_ERROR ? LogLevel::kDebug : LogLevel::kTrace;
  const std::string_view file = args->file;
  LogLine line(level, "grpc");
  line.With("file", file.substr(file.rfind('/') + 1)).With("line", args->line);
  if (file.find("/chttp2/") == std::string_view::npos) line.With("detail", args->message);
}

// Protobuf would write a line to stderr for every string in a request that is not UTF-8.
void LogProtobuf(google::protobuf::LogLevel /*level*/, const char* /*file*/, int /*line*/, const std::string& message) {
  LogLine(LogLevel::kDebug, "protobuf").With("detail", message);
}

}  // namespace

void TakeLibraryLogs() {
  gpr_set_log_function(LogGrpc);
  google::protobuf::SetLogHandler(LogProtobuf);
}

}  // namespace igptd
