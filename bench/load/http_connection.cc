#include "bench/load/http_connection.h"

#include <algorithm>
#include <utility>

namespace igpt::bench {

void HttpConnection::Start(Call& call) {
  call_ = &call;
  to_send_ = true;
  response_ = HttpResponse();
  lines_ = LineReader();
  body_bytes_ = 0;
  error_ = false;
}

bool HttpConnection::Receive(std::string_view bytes, int64_t now) {
  while (!bytes.empty()) {
    if (call_ == nullptr) return false;
    const bool good = response_.Read(bytes, [this, now](std::string_view body) {
      if (body_bytes_ == 0) NoteError(body);
      body_bytes_ += body.size();
      if (response_.event_stream()) ReadEvents(body, now);
    });
    if (!good) return false;
    if (response_.done()) Finish(now);
  }
  return true;
}

void HttpConnection::NoteError(std::string_view json) {
  if (json.starts_with(R"({"error":)")) error_ = true;
}

void HttpConnection::ReadEvents(std::string_view body, int64_t now) {
  constexpr std::string_view kData = "data:";
  std::string_view line;
  while (!body.empty()) {
    if (!lines_.Next(body, line) || !line.starts_with(kData)) continue;
    line.remove_prefix(kData.size());
    NoteError(line.substr(std::min(line.find_first_not_of(' '), line.size())));
    call_->OnMessage(ReadSseData(line), line.size(), now);
  }
}

void HttpConnection::Finish(int64_t now) {
  closing_ = response_.close();
  Call& call = *std::exchange(call_, nullptr);
  if (response_.status() != 200) return call.OnDone("http " + std::to_string(response_.status()), now);
  if (error_) return call.OnDone("error", now);
  if (!response_.event_stream()) call.OnMessage(Event(), body_bytes_, now);
  call.OnDone("", now);
}

void HttpConnection::Produce(std::string& out) {
  if (std::exchange(to_send_, false)) out += request_;
}

void HttpConnection::FailCalls(int64_t now) {
  if (call_ != nullptr) std::exchange(call_, nullptr)->OnDone(kConnectionFailed, now);
}

}  // namespace igpt::bench
