// The head of an HTTP answer, from its lines as libcurl hands them over. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace igpt::internal {

// What matters of an answer's head.
struct ResponseHead {
  int status = 0;
  std::string content_type;      // as sent; empty: none
  std::string content_encoding;  // as sent; empty: none
  std::string retry_after;       // as sent; empty: none
  std::string server;            // as sent; empty: none
  bool framed = false;           // Content-Length or chunked: the body's end can be told from a cut connection
  size_t content_length = 0;     // as sent; 0: none, or none that can be read
};

class HeadReader {
 public:
  enum class Took {
    kLine,       // there is more to come, or the line was a trailer
    kHead,       // with this line the head is whole; only once
    kMalformed,  // it isn't HTTP, is over 64 KiB, switches to another protocol, or contradicts itself about the body's
                 // length
  };

  // Takes one line of a head, its line end included. Takes the lines of all heads: a 1xx comes before the answer's,
  // trailers come after it.
  Took TakeLine(std::string_view text);

  const ResponseHead& head() const { return head_; }

 private:
  ResponseHead head_;
  std::optional<size_t> length_;  // the body's, if the head says it
  size_t bytes_ = 0;              // of this head
  bool done_ = false;
};

}  // namespace igpt::internal
