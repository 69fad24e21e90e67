// Faults that a request can ask the sandbox for, so that tests see what goes wrong in production.
//
// The header `x-sandbox-fault` holds a list, separated by ";". A whole answer counts as one event, number 0. N counts
// whole events that come first; an event that is broken takes the place of event N.
//
// - delay=500ms: wait before anything is answered (ms, s, m).
// - status=503: answer with this HTTP status; a 3xx has a Location on the sandbox where nothing is.
// - retry-after=2: with `status`, send this Retry-After, whatever it is.
// - html: answer 200 with a login page.
// - empty: answer 200 with no body.
// - error=CODE: answer {"error": "CODE"}.
// - after=N: with `error`, in a stream, send it as event N.
// - cut=N: after N events, close the connection where more was due; a whole answer is cut in its middle.
// - stall=N: after N events, send nothing more until the client goes away; a whole answer stops after its head.
// - malformed=N: event N is JSON without its end.
// - utf8=N: event N is not UTF-8.
// - huge=BYTES: the event number `after`, 0 without it, is padded to exactly so many bytes.
// - noend: the stream ends properly before its last event.
// - split=K: the body is sent K bytes at a time.
// - times=N: all this for the first N requests with the same x-request-id only; then no fault, to see retries.
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
