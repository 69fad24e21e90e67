// One HTTP/1.1 response, framed by Content-Length or in chunks. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "bench/load/line_reader.h"

namespace igpt::bench {

class HttpResponse {
 public:
  using OnBody = std::function<void(std::string_view)>;

  // Consumes its part of `bytes`, and calls on_body for the pieces of the body. Returns false if it is not a response,
  // or framed in another way.
  bool Read(std::string_view& bytes, const OnBody& on_body);

  bool done() const { return state_ == State::kDone; }
  int status() const { return status_; }
  bool event_stream() const { return event_stream_; }
  bool close() const { return close_; }  // no other response will follow

 private:
  enum class State { kStatus, kHeaders, kBody, kChunkSize, kChunk, kChunkEnd, kTrailers, kDone };

  bool ReadLine(std::string_view line);
  bool ReadHeader(std::string_view line);

  State state_ = State::kStatus;
  LineReader lines_;
  int status_ = 0;
  bool event_stream_ = false;
  bool close_ = false;
  bool chunked_ = false;
  int64_t left_ = -1;  // bytes left of the body or chunk; -1: unknown
};

}  // namespace igpt::bench
