#include "bench/upstream/connection.h"

#include <ctime>

#include "bench/upstream/directives.h"

namespace igpt::bench {
namespace {

// A client that sends this much while it is being answered isn't one of the benchmark's.
constexpr size_t kMaxInputBytes = 4 << 20;

bool IsPath(std::string_view target, std::string_view path) {
  if (target.ends_with('/')) target.remove_suffix(1);
  return target.ends_with(path);
}

}  // namespace

int64_t Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

bool Connection::OnReadable() {
  return Receive() && (Busy() || ServeReceived());
}

bool Connection::Continue() {
  return WriteOnce() && (Busy() || ServeReceived());
}

std::optional<int64_t> Connection::due() const {
  if (wants_to_write_ || !stream_) return std::nullopt;
  return stream_->due();
}

bool Connection::Receive() {
  while (true) {
    const std::optional<size_t> size = socket_.Read(shared_.received);
    if (!size || input_.size() > kMaxInputBytes) return false;
    input_.append(shared_.received.data(), *size);
    if (*size < shared_.received.size()) return true;
  }
}

bool Connection::ServeReceived() {
  while (!Busy()) {
    HttpRequest request;
    const Parsed parsed = ParseRequest(input_, &request);
    if (parsed == Parsed::kIncomplete) return true;
    if (parsed == Parsed::kBad) return false;
    Answer(request);
    input_.erase(0, request.size);
    if (!WriteOnce()) return false;
  }
  return true;
}

void Connection::Answer(const HttpRequest& request) {
  const Directives directives = ReadDirectives(request.body);
  if (request.method == "POST" && IsPath(request.target, "/recall/search")) {
    unsent_ = shared_.answers.Search(directives.bytes);
  } else if (request.method != "POST" || !IsPath(request.target, "/recall/ask")) {
    unsent_ = kNotFound;
  } else if (AsksForStream(request.body)) {
    stream_.emplace(++shared_.streams, directives, Now());
  } else {
    unsent_ = shared_.answers.Ask(directives.bytes);
  }
}

bool Connection::WriteOnce() {
  const int64_t now = Now();
  std::string& piece = shared_.piece;
  const bool produces = unsent_.empty() && stream_;
  if (produces) {
    piece.clear();
    stream_->Produce(now, piece);
    unsent_ = piece;
  }
  if (!unsent_.empty()) {
    const std::optional<size_t> size = socket_.Write(unsent_);
    if (!size) return false;
    unsent_.remove_prefix(*size);
  }
  if (produces) {
    kept_ = unsent_;
    unsent_ = kept_;
    if (stream_->done()) stream_.reset();
  }
  wants_to_write_ = !unsent_.empty() || (stream_ && stream_->due() <= now);
  return true;
}

}  // namespace igpt::bench
