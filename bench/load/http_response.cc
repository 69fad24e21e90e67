#include "bench/load/http_response.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace igpt::bench {
namespace {

bool ParseNumber(std::string_view text, int base, int64_t* number) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), *number, base);
  return result.ec == std::errc() && *number >= 0;
}

// Whether `line` is the header `name`, whose value is put into `value`.
bool IsHeader(std::string_view line, std::string_view name, std::string_view* value) {
  if (line.size() <= name.size() || line[name.size()] != ':') return false;
  if (::strncasecmp(line.data(), name.data(), name.size()) != 0) return false;
  line.remove_prefix(name.size() + 1);
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  *value = line;
  return true;
}

}  // namespace

bool HttpResponse::Read(std::string_view& bytes, const OnBody& on_body) {
  while (!bytes.empty() && !done()) {
    if (state_ == State::kBody || state_ == State::kChunk) {
      const auto size = std::min(bytes.size(), static_cast<size_t>(left_));
      on_body(bytes.substr(0, size));
      bytes.remove_prefix(size);
      left_ -= static_cast<int64_t>(size);
      if (left_ == 0) state_ = state_ == State::kBody ? State::kDone : State::kChunkEnd;
      continue;
    }
    std::string_view line;
    if (lines_.Next(bytes, line) && !ReadLine(line)) return false;
  }
  return true;
}

bool HttpResponse::ReadLine(std::string_view line) {
  int64_t number = 0;
  switch (state_) {
    case State::kStatus:
      if (!line.starts_with("HTTP/1.1 ") || !ParseNumber(line.substr(9), 10, &number)) return false;
      status_ = static_cast<int>(number);
      state_ = State::kHeaders;
      return true;
    case State::kHeaders:
      if (!line.empty()) return ReadHeader(line);
      if (chunked_) {
        state_ = State::kChunkSize;
      } else {
        state_ = left_ == 0 ? State::kDone : State::kBody;
      }
      return chunked_ || left_ >= 0;
    case State::kChunkSize:
      if (!ParseNumber(line, 16, &left_)) return false;
      state_ = left_ == 0 ? State::kTrailers : State::kChunk;
      return true;
    case State::kChunkEnd:
      state_ = State::kChunkSize;
      return line.empty();
    case State::kTrailers:
      if (line.empty()) state_ = State::kDone;
      return true;
    case State::kBody:
    case State::kChunk:
    case State::kDone:
      break;
  }
  return false;
}

bool HttpResponse::ReadHeader(std::string_view line) {
  std::string_view value;
  if (IsHeader(line, "content-length", &value)) return ParseNumber(value, 10, &left_);
  if (IsHeader(line, "transfer-encoding", &value)) chunked_ = value == "chunked";
  if (IsHeader(line, "content-type", &value)) event_stream_ = value.starts_with("text/event-stream");
  if (IsHeader(line, "connection", &value)) close_ = value == "close";
  return true;
}

}  // namespace igpt::bench
