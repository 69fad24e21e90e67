// SseParser, compared with a plain implementation of WHATWG's rules, for any split of the bytes.
//
// Input: the event limit (an index into kLimits), how many split sizes follow, the sizes, the stream.
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "fuzz/input.h"
#include "fuzz/require.h"
#include "igpt/error.h"
#include "igpt/internal/http/sse_parser.h"

namespace igpt::internal {
namespace {

using igpt_fuzz::Require;
using igpt_fuzz::RequireEqual;

constexpr size_t kLimits[] = {1 << 20, 0, 1, 2, 5, 10, 20, 64};
constexpr size_t kLineOverhead = 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// The result of parsing a stream, as text: the events in order, then whether it failed or ended within an event.
std::string Show(const SseEvent& event) {
  return absl::StrCat("event ", event.event.size(), ":", event.event, " data ", event.data.size(), ":", event.data,
                      "\n");
}
constexpr std::string_view kTooLargeEnd = "too large";
std::string ShowEnd(bool partial) {
  return partial ? "partial" : "whole";
}

// Parses the stream as one piece, line by line.
std::string Expected(std::string_view stream, size_t limit) {
  std::string shown, data, type;
  bool in_event = false;
  bool first = true;
  while (true) {
    const size_t end = stream.find_first_of("\r\n");
    std::string_view line = stream.substr(0, end);
    if (line.size() > limit + kLineOverhead) return absl::StrCat(shown, std::string(kTooLargeEnd));
    if (first && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
    first = false;
    if (end == stream.npos) return shown + ShowEnd(in_event || (!line.empty() && line.front() != ':'));
    stream.remove_prefix(stream.substr(end).starts_with("\r\n") ? end + 2 : end + 1);

    if (line.empty()) {
      // "If the data buffer is an empty string, set the data buffer and the event type buffer to the empty string and
      // return." Otherwise its last LF is removed.
      if (!data.empty()) shown += Show({type, data.substr(0, data.size() - 1)});
      data.clear();
      type.clear();
      in_event = false;
      continue;
    }
    if (line.front() == ':') continue;
    in_event = true;
    std::string_view field = line, value;
    if (const size_t colon = line.find(':'); colon != line.npos) {
      field = line.substr(0, colon);
      value = line.substr(colon + 1);
      if (value.starts_with(' ')) value.remove_prefix(1);
    }
    if (field == "event") type = value;
    if (field == "data") {
      data += value;
      data += '\n';
      if (data.size() - 1 > limit) return absl::StrCat(shown, std::string(kTooLargeEnd));
    }
  }
}

std::string Parse(const std::vector<std::string_view>& pieces, size_t limit) {
  SseParser parser(limit);
  std::string shown;
  for (const std::string_view piece : pieces) {
    const absl::Status fed = parser.Feed(piece, [&shown](const SseEvent& event) { shown += Show(event); });
    if (fed.ok()) continue;
    Require(ErrorOf(fed).has_value() && ErrorOf(fed)->kind == ErrorKind::kTooLarge, "the only error is kTooLarge");
    return absl::StrCat(shown, std::string(kTooLargeEnd));
  }
  return shown + ShowEnd(parser.HasPartialEvent());
}

void Test(igpt_fuzz::Input input) {
  const size_t limit = kLimits[input.TakeNumber() % std::size(kLimits)];
  std::vector<size_t> sizes(input.TakeNumber() % 16);
  for (size_t& size : sizes) size = input.TakeNumber();
  const std::string_view stream = input.rest();
  const std::string expected = Expected(stream, limit);

  RequireEqual(Parse({stream}, limit), expected, "the whole stream gives the events of WHATWG's rules");

  std::vector<std::string_view> pieces;
  std::string_view rest = stream;
  for (const size_t size : sizes) {
    pieces.push_back(rest.substr(0, size));
    rest.remove_prefix(pieces.back().size());
  }
  pieces.push_back(rest);
  RequireEqual(Parse(pieces, limit), expected, "so do its pieces");

  pieces.clear();
  for (size_t i = 0; i < stream.size(); ++i) pieces.push_back(stream.substr(i, 1));
  RequireEqual(Parse(pieces, limit), expected, "so do its bytes");

  constexpr size_t kShort = 32;
  if (stream.size() > kShort) return;
  for (size_t i = 1; i < stream.size(); ++i) {
    RequireEqual(Parse({stream.substr(0, i), stream.substr(i)}, limit), expected, "so do its halves");
  }
}

}  // namespace
}  // namespace igpt::internal

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  igpt::internal::Test({data, size});
  return 0;
}
