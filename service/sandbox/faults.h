// Faults that a request can ask the sandbox for, so that tests see what goes wrong in production.
//
// SandboxOptions::faults lists them (igpt/sandbox.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace igptd::sandbox {

struct Faults {
  absl::Duration delay;
  int status = 200;
  std::string retry_after;
  bool html = false;
  bool empty = false;
  std::string error;
  std::optional<size_t> after;
  std::optional<size_t> cut;
  std::optional<size_t> stall;
  std::optional<size_t> malformed;
  std::optional<size_t> utf8;
  size_t huge = 0;
  bool noend = false;
  size_t split = 0;  // 0: as one piece
  std::optional<size_t> times;
};

// INVALID_ARGUMENT that names what it does not know or take.
absl::StatusOr<Faults> ParseFaults(std::string_view header);

// The text of event `number` as the faults want it.
std::string Break(const Faults& faults, size_t number, std::string text);

// Counts the requests for `times`. Thread-safe.
class FaultCounter {
 public:
  // Whether the fault still applies to this request; counts it.
  bool Applies(std::string_view request_id, const Faults& faults);

 private:
  std::mutex mutex_;                                 // guards what follows
  std::map<std::string, size_t, std::less<>> seen_;  // the latest few thousand ids
};

}  // namespace igptd::sandbox
