#include "bench/load/results.h"

#include <cstdio>

namespace igpt::bench {
namespace {

std::string Decimal(double number, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, number);
  return text;
}

std::string Micros(const Histogram& times) {
  const auto micros = [](double nanoseconds) { return Decimal(nanoseconds / 1000, 1); };
  const auto percentile = [&](double share) { return micros(static_cast<double>(times.Percentile(share))); };
  return R"({"count":)" + std::to_string(times.count()) + R"(,"p50":)" + percentile(0.5) + R"(,"p90":)" +
         percentile(0.9) + R"(,"p99":)" + percentile(0.99) + R"(,"max":)" + micros(static_cast<double>(times.max())) +
         R"(,"mean":)" + micros(times.Mean()) + "}";
}

}  // namespace

std::string ToJson(const Results& results) {
  std::string failed;
  for (const auto& [cause, count] : results.calls_failed) {
    failed += (failed.empty() ? "\"" : ",\"") + cause + "\":" + std::to_string(count);
  }
  return R"({"calls_ok":)" + std::to_string(results.calls_ok) + R"(,"calls_failed":{)" + failed + R"(},"messages":)" +
         std::to_string(results.messages) + R"(,"events":)" + std::to_string(results.events) + R"(,"bytes":)" +
         std::to_string(results.bytes) + R"(,"seconds":)" + Decimal(results.seconds, 6) + R"(,"cpu_seconds":)" +
         Decimal(results.cpu_seconds, 6) + R"(,"slow_readers":)" + std::to_string(results.slow_readers) +
         R"(,"latency_us":)" + Micros(results.latency) + R"(,"failed_us":)" + Micros(results.failed) +
         R"(,"first_us":)" + Micros(results.first) + R"(,"delay_us":)" + Micros(results.delay) +
         R"(,"start_delay_us":)" + Micros(results.start_delay) + "}";
}

}  // namespace igpt::bench
