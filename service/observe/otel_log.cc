#include "service/observe/otel_log.h"

#include <opentelemetry/sdk/common/global_log_handler.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "absl/time/time.h"
#include "igpt/monotonic_time.h"
#include "service/observe/log.h"

namespace igptd {
namespace {

namespace internal_log = opentelemetry::sdk::common::internal_log;
using igpt::MonotonicTime;

constexpr absl::Duration kInterval = absl::Minutes(1);
constexpr size_t kMaxDetailBytes = 200;

std::atomic<bool> error_logged = false;
std::atomic<bool> ended = false;

// What it says of a collector's answer goes on with the whole of that answer.
std::string_view WithoutAnswer(std::string_view message) {
  return message.substr(0, std::min(message.find(", Header:"), kMaxDetailBytes));
}

class LogHandler final : public internal_log::LogHandler {
 public:
  void Handle(internal_log::LogLevel /*level*/, const char* /*file*/, int /*line*/, const char* message,
              const opentelemetry::sdk::common::AttributeMap& /*attributes*/) noexcept override {
    error_logged = true;
    if (ended) return;
    LogLine(Due() ? LogLevel::kWarn : LogLevel::kDebug, "spans are not exported")
        .With("detail", message == nullptr ? "" : WithoutAnswer(message));
  }

 private:
  // Whether the last line was long ago.
  bool Due() {
    const int64_t now = absl::ToInt64Milliseconds(MonotonicTime::Now() - MonotonicTime());
    int64_t due = due_;
    return now >= due && due_.compare_exchange_strong(due, now + absl::ToInt64Milliseconds(kInterval));
  }

  std::atomic<int64_t> due_ = 0;  // by the monotonic clock, in milliseconds
};

}  // namespace

void TakeOtelLog() {
  // Warnings are of variables, and those igptd checks itself.
  internal_log::GlobalLogHandler::SetLogLevel(internal_log::LogLevel::Error);
  internal_log::GlobalLogHandler::SetLogHandler(
      opentelemetry::nostd::shared_ptr<internal_log::LogHandler>(new LogHandler));
}

void EndOtelLog() {
  ended = true;
}

bool TakeOtelError() {
  return error_logged.exchange(false);
}

}  // namespace igptd
