// Metrics of callers' calls.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/support/status.h"
#include "igpt/v1/error_reason.pb.h"
#include "service/observe/call_recorder.h"
#include "service/observe/metric_family.h"
#include "service/observe/metric_values.h"

namespace igptd {

// The calls of one method on one loop.
struct MethodMetrics final : public CallObserver {
  // `name`: "igpt.v1.RecallService/Ask".
  MethodMetrics(std::string_view name, bool method_streams);

  void OnStarted(absl::Duration waited) override;
  void OnEvent(bool first, absl::Duration after) override;
  void OnEnding(const CallRecord& record) override;

  static constexpr size_t kCodes = grpc::StatusCode::UNAUTHENTICATED + 1;
  static constexpr size_t kReasons = igpt::v1::ErrorReason_ARRAYSIZE;

  const std::string service;  // "igpt.v1.RecallService"
  const std::string method;   // "Ask"
  const bool streams;
  Counter started;
  Counter ended;
  std::array<std::array<Counter, kReasons>, kCodes> ends;  // by code and reason
  Durations lag;
  Durations duration;
  Durations own_time;
  Durations first_event;
  Durations event_gap;
};

// Adds the families of these methods, summed over loops. Thread-safe.
void CollectCalls(const std::vector<const MethodMetrics*>& methods, MetricFamilies& families);

}  // namespace igptd
