// Server-sent events from bytes, by WHATWG's rules (https://html.spec.whatwg.org/multipage/server-sent-events.html,
// section 9.2.6 "Interpreting an event stream").
//
// Incremental: any split of the bytes gives the same events. Bounded: holds at most one event and one line, see
// SseParser::SseParser. Pure: no I/O, no threads. UTF-8 is not checked here: whoever reads the data does.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace igpt::internal {

struct SseEvent {
  std::string event;  // the `event` field; empty: none was given
  std::string data;   // the `data` lines, joined by LF
};

class SseParser {
 public:
  // An event is over the limit when SseEvent::data (its `data` lines with an LF between each two) is longer than
  // `max_event_bytes`, or when a line of any kind, without its line end, is longer than `max_event_bytes` + 10. The ten
  // bytes are room for a byte order mark, "event:" and a space.
  explicit SseParser(size_t max_event_bytes) : max_event_bytes_(max_event_bytes) {}

  // Takes the next bytes and hands over every event that they complete, in order. Events without data (comments,
  // `retry`, `id`, a lone `event`) are not handed over. An unterminated event at the end of the stream never is: the
  // rules say to discard it.
  //
  // RESOURCE_EXHAUSTED (kTooLarge) when an event is over the limit; the events before it were handed over. After an
  // error the parser must not be fed again.
  absl::Status Feed(std::string_view bytes, absl::FunctionRef<void(SseEvent)> on_event);

  // Whether bytes of an incomplete event were taken: if the stream ends now, something was lost. A comment is
  // not part of an event; any other line is, until a blank line ends the event.
  bool HasPartialEvent() const;

 private:
  using OnEvent = absl::FunctionRef<void(SseEvent)>;

  // These return false when the event is over the limit.
  bool TakeLine(std::string_view rest, OnEvent on_event);
  bool InterpretLine(std::string_view line, OnEvent on_event);
  bool AppendData(std::string_view value);

  void Dispatch(OnEvent on_event);
  bool LineFits(std::string_view line) const;
  absl::Status TooLarge() const;

  const size_t max_event_bytes_;
  std::string line_;        // the beginning of a line whose end has not come
  SseEvent event_;          // what the lines since the last blank one made
  bool has_data_ = false;   // there was a `data` line, if only an empty one
  bool in_event_ = false;   // there was a line other than a comment
  bool first_line_ = true;  // a byte order mark may come
  bool after_cr_ = false;   // the last byte was a CR: an LF now belongs to it
};

}  // namespace igpt::internal
