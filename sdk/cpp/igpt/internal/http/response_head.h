// The head of an HTTP answer, as libcurl reads it: what its fields are and where it ends. A second reader would
// disagree with the first one somewhere, and an answer could then be taken for something else than it is.
#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "igpt/response_headers.h"

namespace igpt::internal {

// What matters of an answer's head. Fields are as sent; a field that came with several values has all of them, with
// commas in between; empty: none.
struct ResponseHead {
  int status = 0;
  std::string content_type;
  std::string content_encoding;
  std::string retry_after;
  std::string server;
  bool framed = false;        // by a length alone, or chunked: libcurl can tell the body's end from a broken one
  size_t content_length = 0;  // 0: none
  ResponseHeaders headers;    // all fields
};

// Notices where the head of the final answer ends, from the lines that libcurl hands over. It also hands over those of
// 1xx answers, which come before, and trailers, which come after.
class HeadWatch {
 public:
  enum class Took {
    kLine,       // there is more to come, or the line was a trailer
    kHead,       // with this line the head is whole; only once
    kMalformed,  // the head is over 64 KiB, or the answer switches to another protocol, which nobody asked for
  };

  // For libcurl's header callback: takes what that was given. `easy` is the handle of the transfer.
  Took Take(CURL* easy, std::string_view line);

  // The fields of the head that is whole. Once.
  ResponseHeaders TakeHeaders() { return std::move(headers_); }

 private:
  size_t bytes_ = 0;
  bool done_ = false;
  ResponseHeaders headers_;
};

// Reads the head of the last answer on this handle. Can be called within a callback, once HeadWatch has said kHead.
// nullopt: it contradicts itself about the body's length, so nobody can tell where the next answer begins.
std::optional<ResponseHead> ReadHead(CURL* easy);

}  // namespace igpt::internal
