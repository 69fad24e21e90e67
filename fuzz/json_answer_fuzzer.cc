// Ask's whole answer, compared with a plain reading of the whole document.
//
// Input: '0' plus what the request asked for (1: raw JSON, 2: JSON output), the body.
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
  igpt_fuzz::RequireExpected(igpt::internal::DecodeAnswer(std::string(input.rest()), decoding),
                             igpt_fuzz::ExpectedAnswer(input.rest(), decoding));
  return 0;
}
