#include "igpt/testing/exchange.h"

#include <string>

#include "igpt/testing/internal/connection.h"

namespace igpt::testing {

bool Exchange::Send(std::string_view bytes) {
  return connection_.Send(bytes);
}

bool Exchange::SendBytewise(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (!Send(bytes.substr(i, 1))) return false;
  }
  return true;
}

bool Exchange::Answer(int status, std::string_view body, HttpHeaders headers) {
  headers.emplace_back("Content-Length", std::to_string(body.size()));
  return Send(Head(status, headers).append(body));
}

bool Exchange::StartSse() {
  return SendHead(200, {{"Content-Type", "text/event-stream"}, {"Transfer-Encoding", "chunked"}});
}

size_t Exchange::SendUntilBlocked(std::string_view piece, size_t limit, absl::Duration quiet) {
  return connection_.SendUntilBlocked(piece, limit, quiet);
}

bool Exchange::WaitFor(const Event& event) {
  return connection_.AwaitEvent(event);
}

bool Exchange::AwaitPeerClosed(absl::Duration limit) {
  return connection_.AwaitPeerClosed(limit);
}

void Exchange::Close() {
  connection_.CloseSending();
}

void Exchange::Reset() {
  connection_.Reset();
}

}  // namespace igpt::testing
