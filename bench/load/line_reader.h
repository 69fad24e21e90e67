// Cuts lines out of bytes that come in pieces. A line that came in one piece is not copied.
#pragma once

#include <string>
#include <string_view>

namespace igpt::bench {

class LineReader {
 public:
  // Takes the next line, or what there is of it, off `bytes`. True: `line` is whole, without its end, and lasts until
  // the next call.
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
  bool taken_ = false;  // the last line was whole
};

}  // namespace igpt::bench
