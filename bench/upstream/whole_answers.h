// Unstreamed answers: head and body in one piece, ready to be written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace igpt::bench {

// Creates an answer when its size is first requested, and keeps it, since a benchmark requests few sizes many times.
// The views are valid as long as this.
class WholeAnswers {
 public:
  // An Ask that isn't streamed, with an output text of this many bytes.
  std::string_view Ask(int64_t output_bytes);
  // A Search with a body of this many bytes, but at least one empty result.
  std::string_view Search(int64_t body_bytes);

 private:
  std::unordered_map<int64_t, std::string> asks_;
  std::unordered_map<int64_t, std::string> searches_;
};

// For any other path.
inline constexpr std::string_view kNotFound = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

}  // namespace igpt::bench
