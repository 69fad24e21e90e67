// A plain HTTP client, for what is neither the SDK's nor gRPC's business.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "igpt/testing/http_message.h"

namespace igpt::testing {

// What came back. Nothing is followed or decoded but chunks.
struct HttpReply {
  int status = 0;      // 0: no response came
  bool whole = false;  // the body ended properly
  HttpHeaders headers;
  std::string body;

  // The value of the first header of this name, in any case of letters; empty when there is none.
  std::string Header(const std::string& name) const;
};

enum class HttpVersion {
  kHttp1,
  kHttp2,  // without asking first; trailers count as headers
};

// Keeps its connection for the next request, if the server does. Not thread-safe.
class HttpClient {
 public:
  // Takes a piece of the body; false goes away. It comes in as many pieces as there are chunks, at least.
  using OnBody = std::function<bool(std::string_view piece)>;
  // Hears that the head has come.
  using OnHead = std::function<void()>;

  explicit HttpClient(HttpVersion version = HttpVersion::kHttp1);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  HttpReply Get(const std::string& url);
  HttpReply Head(const std::string& url);
  HttpReply Post(const std::string& url, const HttpHeaders& headers, const std::string& body,
                 const OnBody& on_body = {}, const OnHead& on_head = {});

  // Whether the last request found its connection open.
  bool reused_connection() const;

 private:
  HttpReply Perform(const std::string& url, const OnBody& on_body = {}, const OnHead& on_head = {});

  const HttpVersion version_;
  void* const curl_;
};

}  // namespace igpt::testing
