// The body of an answer that is read as a whole.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "igpt/internal/http/response_head.h"

namespace igpt::internal {

// kTooLarge for an answer over Options::max_answer_bytes.
absl::Status AnswerTooLarge(size_t limit);

// An empty text with room for the body that `head` announces, within reason, and for reading it as JSON.
std::string RoomForBody(const ResponseHead& head);

class WholeBody {
 public:
  explicit WholeBody(size_t max_bytes) : max_bytes_(max_bytes) {}

  // A body begins: what was there before belonged to an attempt that failed.
  void Start(const ResponseHead& head) { text_ = RoomForBody(head); }

  absl::Status Append(std::string_view bytes) {
    if (text_.size() + bytes.size() > max_bytes_) return AnswerTooLarge(max_bytes_);
    text_.append(bytes);
    return absl::OkStatus();
  }

  std::string Take() { return std::move(text_); }

 private:
  const size_t max_bytes_;
  std::string text_;
};

}  // namespace igpt::internal
