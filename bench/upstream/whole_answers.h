// Answers that are sent as a whole: head and body in one piece, ready to be written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace igpt::bench {

// Makes an answer when its size is first asked for, and keeps it: the benchmark asks for few sizes and many times. The
// views last as long as this.
class WholeAnswers {
 public:
  // An Ask that isn't streamed, with an output text of that many bytes.
  std::string_view Ask(int64_t output_bytes);
  // A Search, with a body of that many bytes, or of one empty result when it is to be smaller than that.
  std::string_view Search(int64_t body_bytes);

 private:
  std::unordered_map<int64_t, std::string> asks_;
  std::unordered_map<int64_t, std::string> searches_;
};

// For any other path.
inline constexpr std::string_view kNotFound = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

}  // namespace igpt::bench
