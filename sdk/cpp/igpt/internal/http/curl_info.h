// What libcurl knows of a transfer.
#pragma once

#include <curl/curl.h>

#include <cstdlib>

namespace igpt::internal {

// For a CURLINFO that is a long.
inline int NumberOf(CURL* easy, CURLINFO info) {
  long number = 0;                                                       // NOLINT(google-runtime-int): libcurl's type
  if (curl_easy_getinfo(easy, info, &number) != CURLE_OK) std::abort();  // `info` is no long
  return static_cast<int>(number);
}

}  // namespace igpt::internal
