#include "igpt/internal/http/sse_parser.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "igpt/error.h"

namespace igpt::internal {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr size_t kLineOverhead = kByteOrderMark.size() + std::string_view("event: ").size();

void RemovePrefix(std::string_view& text, std::string_view prefix) {
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
}

}  // namespace

absl::Status SseParser::Feed(std::string_view bytes, OnEvent on_event) {
  if (bytes.empty()) return absl::OkStatus();
  if (std::exchange(after_cr_, bytes.back() == '\r') && bytes.front() == '\n') bytes.remove_prefix(1);

  // Each kind of line end is searched for again only when the one found last is passed. So every byte is looked at
  // once, whichever line ends the stream has.
  size_t start = 0;
  size_t lf = bytes.find('\n');
  size_t cr = bytes.find('\r');
  for (size_t end; (end = std::min(lf, cr)) != std::string_view::npos;) {
    if (!TakeLine(bytes.substr(start, end - start), on_event)) return TooLarge();
    start = end + 1;
    if (end == cr && start == lf) ++start;
    if (lf < start) lf = bytes.find('\n', start);
    if (cr < start) cr = bytes.find('\r', start);
  }
  line_ += bytes.substr(start);
  return LineFits(line_) ? absl::OkStatus() : TooLarge();
}

bool SseParser::HasPartialEvent() const {
  std::string_view line = line_;
  if (first_line_) RemovePrefix(line, kByteOrderMark);
  return in_event_ || (!line.empty() && line.front() != ':');
}

// Takes the rest of a line whose beginning, if any, is in line_.
bool SseParser::TakeLine(std::string_view rest, OnEvent on_event) {
  if (line_.empty()) return InterpretLine(rest, on_event);
  std::string line = std::exchange(line_, {});  // frees a long line's memory when it is done with
  line += rest;
  return InterpretLine(line, on_event);
}

bool SseParser::InterpretLine(std::string_view line, OnEvent on_event) {
  if (!LineFits(line)) return false;
  if (std::exchange(first_line_, false)) RemovePrefix(line, kByteOrderMark);
  if (line.empty()) {
    Dispatch(on_event);
    return true;
  }
  if (line.front() == ':') return true;
  in_event_ = true;

  const size_t colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  RemovePrefix(value, " ");
  if (field == "data") return AppendData(value);
  if (field == "event") event_.event = value;
  // `id` and `retry` are for reconnecting, which would repeat events: they are ignored like unknown fields.
  return true;
}

bool SseParser::AppendData(std::string_view value) {
  const size_t separator = has_data_ ? 1 : 0;
  if (event_.data.size() + separator + value.size() > max_event_bytes_) return false;
  event_.data.append(separator, '\n').append(value);
  has_data_ = true;
  return true;
}

void SseParser::Dispatch(OnEvent on_event) {
  in_event_ = false;
  if (std::exchange(has_data_, false)) {
    on_event(std::exchange(event_, {}));
  } else {
    event_.event.clear();
  }
}

bool SseParser::LineFits(std::string_view line) const {
  return line.size() <= max_event_bytes_ + kLineOverhead;
}

absl::Status SseParser::TooLarge() const {
  return MakeStatus(ErrorKind::kTooLarge, absl::StrCat("an event of the answer is larger than max_event_bytes (",
                                                       max_event_bytes_, "): raise it, or ask for less"));
}

}  // namespace igpt::internal
