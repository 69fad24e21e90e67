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
#include <condition_variable>
#include <cstdio>
#include <future>
#include <memory>
#include <mutex>
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
// service/access/denial_limit bounds how many there can be at once.
constexpr size_t kQueuedAuditLines = 4096;

// How long StopLogging waits for a blocked stderr.
constexpr std::chrono::seconds kLastLines{1};

std::atomic<bool> json_lines{true};

// Lines that wait, and the thread that writes them. Not spdlog's global pool: that is destroyed under a lock that its
// thread may be waiting for.
using Queue = spdlog::details::thread_pool;
std::shared_ptr<Queue> queue;
std::shared_ptr<Queue> audit_queue;
std::shared_ptr<spdlog::logger> audit_logger;

// By LogLevel: the values of --log_level.
constexpr std::array<std::string_view, 5> kLevelNames = {"trace", "debug", "info", "warn", "error"};

// The level at the start.
LogLevel first_level = LogLevel::kInfo;

// Lines that could not be written.
std::atomic<int64_t> unwritten_lines{0};

std::atomic<bool> stopping{false};

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

// stderr, to which both threads write whole lines. Lines for auditors go next, however many others wait.
class SharedStderr {
 public:
  // Returns how many bytes were written.
  size_t Write(const spdlog::memory_buf_t& lines, bool for_auditors) {
    if (for_auditors) ++waiting_auditors_;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return for_auditors || waiting_auditors_ == 0; });
    const size_t written = std::fwrite(lines.data(), 1, lines.size(), stderr);
    if (for_auditors) --waiting_auditors_;
    changed_.notify_all();
    return written;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<int> waiting_auditors_ = 0;
};

// Writes the lines of a queue to stderr, on its thread, in batches: the first line at once, and those of the next
// kPause together. So a busy igptd spends one write and one wake-up of the thread on hundreds of lines.
class BatchingStderr final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  // `own_queue`: the one whose thread runs this.
  BatchingStderr(Queue& own_queue, std::shared_ptr<SharedStderr> where, bool for_auditors)
      : queue_(own_queue), stderr_(std::move(where)), for_auditors_(for_auditors) {}

 private:
  static constexpr std::chrono::milliseconds kPause{5};
  static constexpr size_t kMaxBytes = 64 << 10;

  void sink_it_(const spdlog::details::log_msg& message) override {
    formatter_->format(message, lines_);
    const bool last = queue_.queue_size() == 0;
    if (!last && lines_.size() < kMaxBytes) return;
    flush_();
    if (last) std::this_thread::sleep_for(kPause);
  }

  void flush_() override {
    const size_t written = stderr_->Write(lines_, for_auditors_);
    const int64_t unwritten = std::count(lines_.begin() + static_cast<ptrdiff_t>(written), lines_.end(), '\n');
    unwritten_lines += unwritten;
    unwritten_ += unwritten;
    lines_.clear();
    // Not logged while stderr is blocked: that line would be dropped next, and cause another one, endlessly.
    const int64_t dropped = unwritten_ + static_cast<int64_t>(queue_.overrun_counter());
    if (unwritten == 0 && !stopping && dropped != told_dropped_) {
      LogLine(LogLevel::kWarn, "log lines were dropped").With("lines", dropped - told_dropped_);
      told_dropped_ = dropped;
    }
  }

  Queue& queue_;
  const std::shared_ptr<SharedStderr> stderr_;
  const bool for_auditors_;
  spdlog::memory_buf_t lines_;
  int64_t unwritten_ = 0;
  int64_t told_dropped_ = 0;
};

void AppendValue(std::string_view value, std::string& line) {
  (json_lines ? AppendJsonString : AppendTextValue)(value, line);
}

}  // namespace

void StartLogging(std::string_view level, std::string_view format) {
  json_lines = format == "json" || (format == "auto" && isatty(STDERR_FILENO) == 0);
  queue = std::make_shared<Queue>(kQueuedLines, 1);
  audit_queue = std::make_shared<Queue>(kQueuedAuditLines, 1);
  const auto shared_stderr = std::make_shared<SharedStderr>();
  const auto make = [&](const std::shared_ptr<Queue>& lines, bool for_auditors) {
    auto logger = std::make_shared<spdlog::async_logger>(
        "igptd", std::make_shared<BatchingStderr>(*lines, shared_stderr, for_auditors), lines,
        spdlog::async_overflow_policy::overrun_oldest);
    logger->set_pattern(json_lines ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})" : "%Y-%m-%dT%H:%M:%S.%eZ %v",
                        spdlog::pattern_time_type::utc);
    return logger;
  };
  audit_logger = make(audit_queue, /*for_auditors=*/true);
  auto logger = make(queue, /*for_auditors=*/false);
  first_level = LevelOf(level).value_or(LogLevel::kInfo);
  logger->set_level(ToSpdlog(first_level));
  spdlog::set_default_logger(std::move(logger));
}

bool StopLogging() {
  stopping = true;
  std::promise<void> written;
  const std::future<void> all = written.get_future();
  std::thread([written = std::move(written)]() mutable {
    audit_queue.reset();  // writes what is queued
    queue.reset();
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
  int64_t dropped = unwritten_lines;
  for (Queue* const lines : {queue.get(), audit_queue.get()}) {
    if (lines != nullptr) dropped += static_cast<int64_t>(lines->overrun_counter());
  }
  return dropped;
}

LogLine::LogLine(LogLevel level, std::string_view message) : LogLine(level, message, Readers::kOperators) {}

LogLine LogLine::ForAuditors(std::string_view message) {
  return {LogLevel::kWarn, message, Readers::kAuditors};
}

LogLine::LogLine(LogLevel level, std::string_view message, Readers readers)
    : level_(level), readers_(readers), enabled_(readers == Readers::kAuditors || LogEnabled(level)) {
  if (!enabled_) return;
  if (json_lines) {
    line_.append(R"("level":")").append(NameOf(level)).append(R"(","message":)");
    AppendValue(message, line_);
  } else {
    absl::StrAppendFormat(&line_, "%-5s %s", NameOf(level), message);
  }
}

LogLine::~LogLine() {
  if (!enabled_) return;
  spdlog::logger* const logger = readers_ == Readers::kAuditors ? audit_logger.get() : spdlog::default_logger_raw();
  logger->log(ToSpdlog(level_), line_);
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
