// What becomes of an HTTP answer, given as the bytes that a server sends: read by a Transfer, and by libcurl without
// any code of ours. For tests and fuzzers of how answers are read: both must agree.
#pragma once

#include <curl/curl.h>

#include <optional>
#include <string>
#include <string_view>

#include "igpt/internal/http/response_head.h"

namespace igpt::testing {

struct TransferReading {
  std::optional<internal::ResponseHead> head;  // nullopt: the transfer told of none
  std::string body;
  CURLcode result = CURLE_OK;
};

struct LibcurlReading {
  int status = 0;
  std::string content_type;  // of several, the last
  std::string body;
  CURLcode result = CURLE_OK;
};

// Over a loopback connection of their own, which ends after the answer. Abort the process if there is none.
TransferReading ReadByTransfer(std::string_view answer);
LibcurlReading ReadByLibcurl(std::string_view answer);

}  // namespace igpt::testing
