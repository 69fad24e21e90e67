#include "igpt/internal/http/http2.h"

#include <curl/curl.h>

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace igpt::internal {
namespace {

// Older ones fail our tests: a connection whose peer is dead is given to every further request (up to 8.19), and a
// paused stream takes more and more (up to 8.17). 7.88 also takes a stream that was reset for whole, and loses what
// came while it was paused.
constexpr unsigned int kMinVersion = 0x081400;
constexpr char kMinVersionText[] = "8.20";

}  // namespace

std::string Http2Problem() {
  const curl_version_info_data* const running = curl_version_info(CURLVERSION_NOW);
  const unsigned int version = std::min<unsigned int>(running->version_num, LIBCURL_VERSION_NUM);
  if (version >= kMinVersion && (running->features & CURL_VERSION_HTTP2) != 0) return "";
  return absl::StrCat("must be auto or 1.1: HTTP/2 needs libcurl ", kMinVersionText,
                      " or newer, built with HTTP/2. This was compiled for ", LIBCURL_VERSION, " and runs with ",
                      running->version);
}

}  // namespace igpt::internal
