// The log: one event per line on stderr, as JSON or text, written by separate threads. If stderr blocks or fails, calls
// are not affected: the oldest waiting lines are dropped and counted. Lines for auditors wait in a queue of their own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace igptd {

enum class LogLevel { kTrace, kDebug, kInfo, kWarn, kError };

// Call it once, before the first line. `level` and `format` are the values of --log_level and --log_format.
void StartLogging(std::string_view level, std::string_view format);
// Writes the lines that wait. No line may be logged after it. Returns false if stderr was blocked for a second: its
// thread is then still writing, so the process can only end without exit handlers (std::_Exit).
[[nodiscard]] bool StopLogging();

bool LogEnabled(LogLevel level);

// The level's name, as in --log_level. Thread-safe, once logging has started.
std::string_view LogLevelName();
// Returns false and changes nothing if no level has that name.
[[nodiscard]] bool SetLogLevel(std::string_view name);
// Sets the level to debug or, if it has been changed, back to what it was at the start.
void ToggleDebugLog();

// How many lines were dropped since the start. Thread-safe, until StopLogging.
int64_t DroppedLogLines();

// A line that is written when it goes out of scope:
//
//   LogLine(LogLevel::kInfo, "serving").With("address", address).With("port", port);
//
// Never put a key, a user, or anything that a user wrote into a line.
class LogLine {
 public:
  LogLine(LogLevel level, std::string_view message);
  // A line for auditors, at warn: it is written whatever the level, and no other lines can crowd it out.
  static LogLine ForAuditors(std::string_view message);
  ~LogLine();
  LogLine(const LogLine&) = delete;
  LogLine& operator=(const LogLine&) = delete;

  LogLine& With(std::string_view name, std::string_view value);
  LogLine& With(std::string_view name, const char* value) { return With(name, std::string_view(value)); }
  LogLine& With(std::string_view name, const std::string& value) { return With(name, std::string_view(value)); }
  LogLine& With(std::string_view name, int64_t value);
  LogLine& With(std::string_view name, int value) { return With(name, int64_t{value}); }
  // In milliseconds, with `_ms` after the name.
  LogLine& With(std::string_view name, absl::Duration value);

 private:
  enum class Readers { kOperators, kAuditors };
  LogLine(LogLevel level, std::string_view message, Readers readers);
  void Name(std::string_view name);

  const LogLevel level_;
  const Readers readers_;
  const bool enabled_;
  std::string line_;
};

// A line with only a message.
void Log(LogLevel level, std::string_view message);

}  // namespace igptd
