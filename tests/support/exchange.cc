#include "tests/support/exchange.h"

#include <string>

namespace igpt::testing {

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

}  // namespace igpt::testing
