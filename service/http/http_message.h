// Requests and responses as the handlers of an HttpServer see them.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace igptd {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;
  std::string path;  // as it was sent, without the query
  HttpHeaders headers;
  std::string body;
  bool keep_alive = true;  // whether the client may send another request on this connection

  // The value of the first header of this name, in any case of letters; empty when there is none.
  std::string header(const std::string& name) const;
};

// Where a response's body is written piece by piece.
class HttpBodyWriter {
 public:
  // Sends the piece before it returns; false when the client is gone.
  virtual bool Write(std::string_view piece) = 0;

  // False once the client is gone.
  virtual bool IsOpen() const = 0;

 protected:
  ~HttpBodyWriter() = default;
};

struct HttpResponse {
  int status = 200;
  HttpHeaders headers = {};       // besides Content-Type and those that frame the body
  std::string content_type = "";  // empty: none
  std::string body = "";

  // Writes the body in place of `body`, on the connection's thread. False: the connection is closed without the body's
  // proper end.
  std::function<bool(HttpBodyWriter& writer)> write_body = {};
  std::optional<size_t> length = {};  // of what `write_body` writes; without it, the body is chunked
};

// Both are called on any number of threads at once.
struct HttpHandler {
  std::function<HttpResponse(const HttpRequest& request)> answer;
  // The response to a request that never reaches `answer` (400: it is malformed, 413: its body is too large), or for
  // which `answer` threw an exception (500).
  std::function<HttpResponse(int status)> refuse;
};

}  // namespace igptd
