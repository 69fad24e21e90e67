#include "service/log.h"

#include <spdlog/async.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/notification.h"

namespace igptd {
namespace {

constexpr size_t kQueuedLines = 8192;

// How long the end waits for lines to be written that nobody takes.
constexpr absl::Duration kLastLines = absl::Seconds(1);

std::atomic<bool> json_lines{true};

// Not spdlog's own, which is destroyed under a lock that its thread may be waiting for.
std::shared_ptr<spdlog::details::thread_pool> pool;

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return spdlog::level::trace;
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// Writes lines to stderr, on spdlog's own thread, in batches: a first line at once, and those that come within the next
// kPause together. So a busy igptd spends a write and a wake-up of the thread on hundreds of lines, not on each.
class BatchingStderr final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  // `own_pool`: whose thread runs this.
  explicit BatchingStderr(spdlog::details::thread_pool& own_pool) : pool_(own_pool) {}

 private:
  static constexpr std::chrono::milliseconds kPause{5};
  static constexpr size_t kMaxBytes = 64 << 10;

  void sink_it_(const spdlog::details::log_msg& message) override {
    formatter_->format(message, lines_);
    const bool last = pool_.queue_size() == 0;
    if (!last && lines_.size() < kMaxBytes) return;
    flush_();
    if (last) std::this_thread::sleep_for(kPause);
  }

  void flush_() override {
    std::fwrite(lines_.data(), 1, lines_.size(), stderr);
    lines_.clear();
    if (const size_t dropped = pool_.overrun_counter(); dropped != told_dropped_) {
      LogLine(LogLevel::kWarn, "log lines were dropped").With("lines", static_cast<int64_t>(dropped - told_dropped_));
      told_dropped_ = dropped;
    }
  }

  spdlog::details::thread_pool& pool_;
  spdlog::memory_buf_t lines_;
  size_t told_dropped_ = 0;
};

// In quotes, for a line of JSON. Text keeps its values as they are when no quotes are needed to tell them apart.
void AppendValue(std::string_view value, std::string& line) {
  if (!json_lines && !value.empty() && value.find_first_of(" \"=\\") == std::string_view::npos) {
    line.append(value);
    return;
  }
  line.push_back('"');
  for (const char c : value) {
    if (c == '"' || c == '\\') line.push_back('\\');
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      absl::StrAppendFormat(&line, "\\u%04x", static_cast<unsigned char>(c));
    } else {
      line.push_back(c);
    }
  }
  line.push_back('"');
}

}  // namespace

void StartLogging(std::string_view level, std::string_view format) {
  json_lines = format == "json" || (format == "auto" && isatty(STDERR_FILENO) == 0);
  pool = std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1);
  auto logger = std::make_shared<spdlog::async_logger>("igptd", std::make_shared<BatchingStderr>(*pool), pool,
                                                       spdlog::async_overflow_policy::overrun_oldest);
  logger->set_level(spdlog::level::from_str(std::string(level)));
  logger->set_pattern(
      json_lines ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})" : "%Y-%m-%dT%H:%M:%S.%eZ %-5l %v",
      spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
}

bool StopLogging() {
  spdlog::shutdown();
  const auto written = std::make_shared<absl::Notification>();
  std::thread([written] {
    pool.reset();  // writes what is queued
    written->Notify();
  }).detach();
  return written->WaitForNotificationWithTimeout(kLastLines);
}

bool LogEnabled(LogLevel level) {
  return spdlog::should_log(ToSpdlog(level));
}

LogLine::LogLine(LogLevel level, std::string_view message) : level_(level), enabled_(LogEnabled(level)) {
  if (!enabled_) return;
  if (json_lines) {
    line_ = "\"message\":";
    AppendValue(message, line_);
  } else {
    line_ = message;
  }
}

LogLine::~LogLine() {
  if (enabled_) spdlog::default_logger_raw()->log(ToSpdlog(level_), line_);
}

void LogLine::Name(std::string_view name) {
  if (json_lines) {
    line_.append(",\"").append(name).append("\":");
  } else {
    line_.append(" ").append(name).append("=");
  }
}

LogLine& LogLine::With(std::string_view name, std::string_view value) {
  if (!enabled_) return *this;
  Name(name);
  AppendValue(value, line_);
  return *this;
}

LogLine& LogLine::With(std::string_view name, int64_t value) {
  if (!enabled_) return *this;
  Name(name);
  absl::StrAppend(&line_, value);
  return *this;
}

LogLine& LogLine::With(std::string_view name, absl::Duration value) {
  if (!enabled_) return *this;
  Name(std::string(name) + "_ms");
  absl::StrAppendFormat(&line_, "%.3f", absl::ToDoubleMilliseconds(value));
  return *this;
}

void Log(LogLevel level, std::string_view message) {
  const LogLine line(level, message);
}

void LogCall(const rpc::CallRecord& record) {
  LogLine line(LogLevel::kInfo, "call");
  line.With("method", record.method).With("code", CodeName(record.code));
  if (record.reason != igpt::v1::ERROR_REASON_UNSPECIFIED) line.With("reason", ReasonName(record.reason));
  line.With("duration", record.duration);
  if (record.first_event.has_value()) line.With("first_event", *record.first_event);
  line.With("events", record.events).With("bytes", record.bytes).With("request_id", record.request_id);
  if (!record.user_hash.empty()) line.With("user", record.user_hash);
}

}  // namespace igptd
