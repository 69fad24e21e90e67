#include "service/http/http_request_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <utility>

#include "absl/strings/match.h"

namespace igptd {
namespace {

namespace http = boost::beast::http;
using Parser = http::request_parser<http::string_body>;

constexpr uint32_t kMaxHead = 64 << 10;

// Boost's string_view changes its type from version to version.
template <typename View>
std::string ToString(const View& view) {
  return std::string(view.data(), view.size());
}

bool ExpectsContinue(const Parser& parser) {
  return absl::EqualsIgnoreCase(ToString(parser.get()[http::field::expect]), "100-continue");
}

void Fill(HttpRequest& request, http::request<http::string_body> parsed) {
  request.method = ToString(parsed.method_string());
  request.path = ToString(parsed.target());
  request.path.resize(std::min(request.path.find('?'), request.path.size()));
  for (const auto& field : parsed) request.headers.emplace_back(ToString(field.name_string()), ToString(field.value()));
  request.keep_alive = parsed.keep_alive();
  request.body = std::move(parsed.body());
}

}  // namespace

HttpRequestReader::Outcome HttpRequestReader::Read(absl::Duration idle, HttpRequest& request) {
  connection_.BeginRequest();
  if (received_.empty() && !connection_.WaitForData(idle)) return Outcome::kGone;
  Parser parser;
  parser.header_limit(kMaxHead);
  parser.body_limit(max_body_);
  bool in_body = false;
  bool starved = received_.empty();
  while (!parser.is_done()) {
    if (starved && !connection_.Receive(received_)) return Outcome::kGone;
    // Takes the whole head first, then of the body as much as there is.
    boost::system::error_code error;
    received_.erase(0, parser.put(boost::asio::buffer(received_), error));
    if (error == http::error::body_limit) return Outcome::kTooLarge;
    if (error && error != http::error::need_more) return Outcome::kMalformed;
    starved = error == http::error::need_more || received_.empty();
    if (parser.is_header_done() && !in_body) {
      in_body = true;
      if (ExpectsContinue(parser) && !connection_.Send("HTTP/1.1 100 Continue\r\n\r\n")) return Outcome::kGone;
    }
  }
  Fill(request, parser.release());
  return Outcome::kWhole;
}

}  // namespace igptd
