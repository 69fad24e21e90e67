// A fuzzer's input, consumed from its front. The settings come first and are single characters, so that corpus files
// can be written in an editor.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace igpt_fuzz {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  // Takes a byte: '0' is 0, '1' is 1, and so on for all bytes. 0 at the end.
  uint8_t TakeNumber() {
    if (rest_.empty()) return 0;
    const auto number = static_cast<uint8_t>(rest_.front() - '0');
    rest_.remove_prefix(1);
    return number;
  }

  // Takes everything up to the next line feed, and drops that.
  std::string_view TakeLine() {
    const size_t end = std::min(rest_.find('\n'), rest_.size());
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return line;
  }

  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace igpt_fuzz
