// Log lines: JSON or text, one event a line, on stderr, written by a thread of their own. A sink that blocks or fails
// costs log lines, never calls: the oldest that wait are dropped, and counted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace igptd {

enum class LogLevel { kTrace, kDebug, kInfo, kWarn, kError };

// Once, before the first line. `level` and `format` as --log_level and --log_format have them.
void StartLogging(std::string_view level, std::string_view format);
// Writes out what waits. No line after it. False when nobody took the lines for a second: then stderr is still being
// written to, so that the process can only end without its exit handlers (std::_Exit).
[[nodiscard]] bool StopLogging();

bool LogEnabled(LogLevel level);

// The level, by the name that --log_level gives it. From any thread, once logging has started.
std::string_view LogLevelName();
// False, and nothing changes, when no level has that name.
[[nodiscard]] bool SetLogLevel(std::string_view name);
// Sets the level to debug or, when it was changed since the start, back to what it was then.
void ToggleDebugLog();

// How many lines were dropped since the start. From any thread, until StopLogging.
int64_t DroppedLogLines();

// A line that is written when it goes out of scope:
//
//   LogLine(LogLevel::kInfo, "serving").With("address", address).With("port", port);
//
// Nothing that a user wrote, no key and no user belongs into one.
class LogLine {
 public:
  LogLine(LogLevel level, std::string_view message);
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
  void Name(std::string_view name);

  const LogLevel level_;
  const bool enabled_;
  std::string line_;
};

// A line with nothing but its message.
void Log(LogLevel level, std::string_view message);

}  // namespace igptd
