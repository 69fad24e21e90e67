#include "service/observe/log.h"

#include <spdlog/async.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "service/observe/log_value.h"

namespace igptd {
namespace {

constexpr size_t kQueuedLines = 8192;

// How long StopLogging waits for a blocked stderr.
constexpr std::chrono::seconds kLastLines{1};

std::atomic<bool> json_lines{true};

// Not spdlog's global pool: that is destroyed under a lock that its thread may be waiting for.
std::shared_ptr<spdlog::details::thread_pool> pool;

// By LogLevel: the values of --log_level.
constexpr std::array<std::string_view, 5> kLevelNames = {"trace", "debug", "info", "warn", "error"};

// The level at the start.
LogLevel first_level = LogLevel::kInfo;

// Lines that could not be written.
std::atomic<int64_t> unwritten_lines{0};

// spdlog's first levels have the same numbers as ours.
spdlog::level::level_enum ToSpdlog(LogLevel level) {
  return static_cast<spdlog::level::level_enum>(level);
}
static_assert(static_cast<int>(LogLevel::kTrace) == spdlog::level::trace);
static_assert(static_cast<int>(LogLevel::kError) == spdlog::level::err);

std::string_view NameOf(LogLevel level) {
  return kLevelNames.at(static_cast<size_t>(level));
}

// nullopt if no level has that name.
std::optional<LogLevel> LevelOf(std::string_view name) {
  const auto* found = std::find(kLevelNames.begin(), kLevelNames.end(), name);
  if (found == kLevelNames.end()) return std::nullopt;
  return static_cast<LogLevel>(found - kLevelNames.begin());
}

int64_t DroppedLines(spdlog::details::thread_pool& queue) {
  return unwritten_lines + static_cast<int64_t>(queue.overrun_counter());
}

// Writes lines to stderr, on spdlog's thread, in batches: the first line at once, and those of the next kPause
// together. So a busy igptd spends one write and one wake-up of the thread on hundreds of lines.
class BatchingStderr final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  // `own_pool`: the pool whose thread runs this.
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
    const size_t written = std::fwrite(lines_.data(), 1, lines_.size(), stderr);
    unwritten_lines += std::count(lines_.begin() + static_cast<ptrdiff_t>(written), lines_.end(), '\n');
    const bool all = written == lines_.size();
    lines_.clear();
    // Not logged while stderr is blocked: that line would be dropped next, and cause another one, endlessly.
    const int64_t dropped = DroppedLines(pool_);
    if (all && dropped != told_dropped_) {
      LogLine(LogLevel::kWarn, "log lines were dropped").With("lines", dropped - told_dropped_);
      told_dropped_ = dropped;
    }
  }

  spdlog::details::thread_pool& pool_;
  spdlog::memory_buf_t lines_;
  int64_t told_dropped_ = 0;
};

void AppendValue(std::string_view value, std::string& line) {
  (json_lines ? AppendJsonString : AppendTextValue)(value, line);
}

}  // namespace

void StartLogging(std::string_view level, std::string_view format) {
  json_lines = format == "json" || (format == "auto" && isatty(STDERR_FILENO) == 0);
  pool = std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1);
  auto logger = std::make_shared<spdlog::async_logger>("igptd", std::make_shared<BatchingStderr>(*pool), pool,
                                                       spdlog::async_overflow_policy::overrun_oldest);
  first_level = LevelOf(level).value_or(LogLevel::kInfo);
  logger->set_level(ToSpdlog(first_level));
  logger->set_pattern(json_lines ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})" : "%Y-%m-%dT%H:%M:%S.%eZ %v",
                      spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
}

bool StopLogging() {
  spdlog::shutdown();
  std::promise<void> written;
  const std::future<void> all = written.get_future();
  std::thread([written = std::move(written)]() mutable {
    pool.reset();  // writes what is queued
    written.set_value();
  }).detach();
  return all.wait_for(kLastLines) == std::future_status::ready;
}

bool LogEnabled(LogLevel level) {
  return spdlog::should_log(ToSpdlog(level));
}

std::string_view LogLevelName() {
  return NameOf(static_cast<LogLevel>(spdlog::get_level()));
}

bool SetLogLevel(std::string_view name) {
  const std::optional<LogLevel> level = LevelOf(name);
  if (!level.has_value()) return false;
  spdlog::logger& logger = *spdlog::default_logger_raw();
  const std::string_view before = LogLevelName();
  // The line about the change is written if either level includes it.
  logger.set_level(std::min(logger.level(), ToSpdlog(*level)));
  LogLine(LogLevel::kInfo, "log level changed").With("from", before).With("to", name);
  logger.set_level(ToSpdlog(*level));
  return true;
}

void ToggleDebugLog() {
  const std::string_view first = NameOf(first_level);
  (void)SetLogLevel(LogLevelName() == first ? NameOf(LogLevel::kDebug) : first);
}

int64_t DroppedLogLines() {
  return pool == nullptr ? 0 : DroppedLines(*pool);
}

LogLine::LogLine(LogLevel level, std::string_view message) : level_(level), enabled_(LogEnabled(level)) {
  if (!enabled_) return;
  if (json_lines) {
    line_.append(R"("level":")").append(NameOf(level)).append(R"(","message":)");
    AppendValue(message, line_);
  } else {
    absl::StrAppendFormat(&line_, "%-5s %s", NameOf(level), message);
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

}  // namespace igptd
