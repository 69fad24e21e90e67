#include "bench/load/request.h"

#include <cstddef>
#include <string_view>

namespace igpt::bench {
namespace {

constexpr std::string_view kUser = "bench-user";

void AppendVarint(std::string& out, size_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void AppendString(std::string& out, int field, std::string_view text) {
  AppendVarint(out, static_cast<size_t>(field) << 3 | 2);
  AppendVarint(out, text.size());
  out += text;
}

void AppendTrue(std::string& out, int field) {
  AppendVarint(out, static_cast<size_t>(field) << 3);
  AppendVarint(out, 1);
}

// Enough for a benchmark's texts, which hold no control characters.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string JsonBody(const Options& options) {
  const std::string text = Quoted(options.text);
  const std::string user = Quoted(kUser);
  if (options.method == "search") return R"({"user":)" + user + R"(,"query":)" + text + "}";
  return R"({"input":)" + text + R"(,"user":)" + user + R"(,"stream":)" + (options.whole ? "false}" : "true}");
}

}  // namespace

GrpcRequest MakeGrpcRequest(const Options& options) {
  std::string message;
  AppendString(message, 1, kUser);            // AskRequest.user, SearchRequest.user
  AppendString(message, 2, options.text);     // AskRequest.input, SearchRequest.query
  if (options.whole) AppendTrue(message, 5);  // AskRequest.whole_answer

  GrpcRequest request;
  request.scheme = options.tls_ca.empty() ? "http" : "https";
  request.authority = options.target;
  request.is_ask = options.method == "ask";
  request.path = request.is_ask ? "/igpt.v1.RecallService/Ask" : "/igpt.v1.RecallService/Search";
  request.message += '\0';  // not compressed
  for (int shift = 24; shift >= 0; shift -= 8) request.message += static_cast<char>(message.size() >> shift);
  request.message += message;
  return request;
}

std::string MakeHttpRequest(const Options& options) {
  const std::string body = JsonBody(options);
  return "POST /v1/recall/" + options.method + "/ HTTP/1.1\r\nHost: " + options.target +
         "\r\nAuthorization: Bearer ak:bench\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace igpt::bench
