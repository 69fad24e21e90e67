// The answers of Search, List, Disconnect and Authorize, each compared with a plain reading of the whole document.
//
// Input: '0', or '1' for raw JSON; the body, which is decoded as an answer of each.
#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz/expected.h"
#include "fuzz/input.h"
#include "igpt/internal/json/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace igpt::internal;  // NOLINT(google-build-using-namespace)
  igpt_fuzz::Input input(data, size);
  const bool include_raw = (input.TakeNumber() & 1) != 0;
  const std::string body(input.rest());
  igpt_fuzz::RequireExpected(DecodeSearch(body, include_raw), igpt_fuzz::ExpectedSearch(body, include_raw));
  igpt_fuzz::RequireExpected(DecodeList(body, include_raw), igpt_fuzz::ExpectedList(body, include_raw));
  igpt_fuzz::RequireExpected(DecodeDisconnect(body, include_raw), igpt_fuzz::ExpectedDisconnect(body, include_raw));
  igpt_fuzz::RequireExpected(DecodeAuthorize(body, include_raw), igpt_fuzz::ExpectedAuthorize(body, include_raw));
  return 0;
}
