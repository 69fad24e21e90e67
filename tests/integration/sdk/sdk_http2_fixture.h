// Shared by the tests of igpt::sdk over HTTP/2, which are skipped where libcurl can't be trusted with it.
#pragma once

#include <string>
#include <utility>

#include "tests/integration/sdk/sdk_fixture.h"
#include "tests/support/scripted_http2_server.h"

namespace igpt::testing {

// For a client of that server, with which it speaks HTTP/2.
inline Options Http2Options(const ScriptedHttp2Server& server, int attempts = 3) {
  Options options;
  options.api_key = "ak:test";
  options.user = "ada";
  options.base_url = server.url("/v1");
  options.ca_pem = server.authority();
  options.max_retries = attempts;
  return options;
}

// Why this libcurl can't be trusted with HTTP/2; empty: it can.
inline std::string Http2Problem() {
  Options options;
  options.api_key = "ak:test";
  options.http_version = HttpVersion::k2;
  return std::string(Validate(options).message());
}

class Http2Test : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::string problem = Http2Problem(); !problem.empty()) GTEST_SKIP() << problem;
  }
};

// Handlers.
using Http2Handler = ScriptedHttp2Server::Handler;

inline Http2Handler WholeHttp2Run() {
  return [](const Http2Stream& stream) {
    stream.StartSse();
    stream.SendSse(kRunStart, DeltaEvent(1), kRunDone);
    stream.End();
  };
}
inline Http2Handler RespondHttp2(std::string body) {
  return [body = std::move(body)](const Http2Stream& stream) { stream.Answer(200, body); };
}
inline Http2Handler ResetHttp2(uint32_t code) {
  return [code](const Http2Stream& stream) { stream.Reset(code); };
}

inline constexpr char kAuthorized[] = R"({"url":"https://example.com/connect"})";

}  // namespace igpt::testing
