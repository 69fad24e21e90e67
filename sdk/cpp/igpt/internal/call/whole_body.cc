#include "igpt/internal/call/whole_body.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "igpt/error.h"
#include "igpt/internal/json/reader.h"

namespace igpt::internal {

absl::Status AnswerTooLarge(size_t limit) {
  return MakeStatus(ErrorKind::kTooLarge, absl::StrCat("iGPT's answer is over the limit of ", limit, " bytes"));
}

std::string RoomForBody(const ResponseHead& head) {
  constexpr size_t kMaxTrusted = 1 << 20;
  std::string body;
  if (head.content_length > 0) body.reserve(std::min(head.content_length, kMaxTrusted) + kJsonPadding);
  return body;
}

}  // namespace igpt::internal
