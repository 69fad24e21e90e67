// The facts of a call.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "igpt/response_headers.h"

namespace igpt::inline sdk_v1 {

// In every answer, every error, and every report to an Observer. Of a call that sent nothing, only the request id and
// the times are known.
struct CallInfo {
  std::string request_id = {};                           // sent as X-Request-Id: see CallOptions::request_id
  int attempts = 0;                                      // how many requests were sent
  int http_status = 0;                                   // of the last request's answer; 0: it had none
  ResponseHeaders headers = {};                          // likewise
  absl::Time start_time = absl::InfinitePast();          // when the call began; InfinitePast: unknown
  absl::Duration time_to_answer = absl::ZeroDuration();  // from the start to the head of that answer; 0: it had none
  absl::Duration duration = absl::ZeroDuration();        // from the start to the end, or until now
};

}  // namespace igpt::inline sdk_v1
