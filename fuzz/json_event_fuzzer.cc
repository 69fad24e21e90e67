// One event of a stream, compared with a plain reading of the whole document.
//
// Input: '0' plus what the request asked for (1: raw JSON, 2: JSON output), the event's SSE name up to a line feed, its
// data.
#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz/expected.h"
#include "fuzz/input.h"
#include "igpt/internal/json/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  igpt_fuzz::Input input(data, size);
  const unsigned mode = input.TakeNumber();
  const igpt::internal::AnswerDecoding decoding = {.json_wanted = (mode & 2) != 0, .include_raw = (mode & 1) != 0};
  const std::string_view name = input.TakeLine();
  igpt_fuzz::RequireExpected(igpt::internal::DecodeRunEvent(std::string(input.rest()), name, decoding),
                             igpt_fuzz::ExpectedEvent(input.rest(), name, decoding));
  return 0;
}
