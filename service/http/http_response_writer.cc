#include "service/http/http_response_writer.h"

#include <boost/beast/http/status.hpp>
#include <string>

#include "absl/strings/str_cat.h"

namespace igptd {
namespace {

namespace http = boost::beast::http;

std::string Head(const HttpResponse& response, bool close) {
  const auto reason = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(response.status)));
  std::string head = absl::StrCat("HTTP/1.1 ", response.status, " ", std::string(reason.data(), reason.size()), "\r\n");
  const auto add = [&head](const std::string& name, const std::string& value) {
    absl::StrAppend(&head, name, ": ", value, "\r\n");
  };
  for (const auto& [name, value] : response.headers) add(name, value);
  if (!response.content_type.empty()) add("Content-Type", response.content_type);
  if (response.write_body && !response.length.has_value()) {
    add("Transfer-Encoding", "chunked");
  } else {
    add("Content-Length", absl::StrCat(response.length.value_or(response.body.size())));
  }
  if (close) add("Connection", "close");
  return head + "\r\n";
}

class BodyWriter final : public HttpBodyWriter {
 public:
  BodyWriter(HttpConnection& connection, bool chunked) : connection_(connection), chunked_(chunked) {}

  bool Write(std::string_view piece) override {
    if (!chunked_ || piece.empty()) return connection_.Send(piece);  // an empty chunk would be the body's end
    std::string chunk = absl::StrCat(absl::Hex(piece.size()), "\r\n");
    chunk.append(piece).append("\r\n");
    return connection_.Send(chunk);
  }

  bool IsOpen() const override { return connection_.IsOpen(); }

  bool End() { return !chunked_ || connection_.Send("0\r\n\r\n"); }

 private:
  HttpConnection& connection_;
  const bool chunked_;
};

}  // namespace

bool WriteResponse(HttpConnection& connection, const HttpResponse& response, const HttpFraming& framing) {
  const std::string head = Head(response, framing.close);
  if (framing.head_only) return connection.Send(head);
  if (!response.write_body) return connection.Send(head + response.body);
  BodyWriter writer(connection, /*chunked=*/!response.length.has_value());
  return connection.Send(head) && response.write_body(writer) && writer.End();
}

}  // namespace igptd
