#include "soak/health_check.h"

#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace igpt::soak {
namespace {

using std::string_literals::operator""s;  // NOLINT(misc-unused-using-decls): of every literal below

// An HPACK string, without Huffman coding. Must be shorter than 127 bytes.
std::string Literal(const std::string& text) {
  return static_cast<char>(text.size()) + text;
}

std::string Frame(char type, char flags, char stream, const std::string& payload) {
  return "\0\0"s + static_cast<char>(payload.size()) + type + flags + "\0\0\0"s + stream + payload;
}

std::string CheckRequest() {
  const std::string headers = "\x83\x86"s +                                        // :method POST, :scheme http
                              "\x04"s + Literal("/grpc.health.v1.Health/Check") +  // :path
                              "\x01"s + Literal("haproxy") +                       // :authority
                              "\0"s + Literal("content-type") + Literal("application/grpc") + "\0"s + Literal("te") +
                              Literal("trailers");
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(4, 0, 0, "") + Frame(1, 4, 1, headers) +
         Frame(0, 1, 1, "\0\0\0\0\0"s);
}

}  // namespace

// The first expectation waits for any answer; the second fails if the answer isn't SERVING.
std::string HealthCheckLines() {
  return absl::StrCat(
      "  option tcp-check\n"
      "  tcp-check connect\n"
      "  tcp-check send-binary ",
      absl::BytesToHexString(CheckRequest()),
      "\n"
      "  tcp-check expect rbinary 000000000208\n"
      "  tcp-check expect min-recv 1 binary 00000000020801\n");
}

}  // namespace igpt::soak
