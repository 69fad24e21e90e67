// iGPT's own API over one HTTP/1.1 connection: one call at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bench/load/connection.h"
#include "bench/load/http_response.h"
#include "bench/load/line_reader.h"

namespace igpt::bench {

class HttpConnection final : public Connection {
 public:
  // Every call sends `request`, which must outlive the connection.
  HttpConnection(const Endpoint& endpoint, int epoll, const std::string& request)
      : Connection(endpoint, epoll), request_(request) {}

  void Start(Call& call) override;
  bool busy() const override { return call_ != nullptr; }
  bool usable() const override { return Connection::usable() && !closing_; }

 private:
  bool Receive(std::string_view bytes, int64_t now) override;
  void Produce(std::string& out) override;
  void FailCalls(int64_t now) override;
  // A stream's messages are its events, any other answer is one message.
  void ReadEvents(std::string_view body, int64_t now);
  // iGPT's errors come with status 200.
  void NoteError(std::string_view json);
  void Finish(int64_t now);

  const std::string& request_;
  Call* call_ = nullptr;
  bool to_send_ = false;
  bool closing_ = false;
  HttpResponse response_;
  LineReader lines_;
  size_t body_bytes_ = 0;
  bool error_ = false;
};

}  // namespace igpt::bench
