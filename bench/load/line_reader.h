// Splits bytes that arrive in pieces into lines. A line that arrives in one piece is not copied.
#pragma once

#include <string>
#include <string_view>

namespace igpt::bench {

class LineReader {
 public:
  // Consumes the next line, or what is available of it, from `bytes`. Returns true if `line` is complete; it excludes
  // the line end, and is valid until the next call.
  bool Next(std::string_view& bytes, std::string_view& line) {
    if (taken_) partial_.clear();
    const size_t end = bytes.find('\n');
    taken_ = end != bytes.npos;
    if (!taken_ || !partial_.empty()) {
      partial_ += bytes.substr(0, end);
      line = partial_;
    } else {
      line = bytes.substr(0, end);
    }
    bytes.remove_prefix(taken_ ? end + 1 : bytes.size());
    if (taken_ && line.ends_with('\r')) line.remove_suffix(1);
    return taken_;
  }

 private:
  std::string partial_;
  bool taken_ = false;  // the last line was complete
};

}  // namespace igpt::bench
