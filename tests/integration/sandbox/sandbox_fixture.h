// A sandbox and a client of it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "igpt/sandbox.h"
#include "service/sandbox/json.h"
#include "tests/support/http_client.h"

namespace igptd::sandbox {

using ::igpt::Sandbox;
using ::igpt::testing::HttpClient;
using ::igpt::testing::HttpHeaders;
using ::igpt::testing::HttpReply;

// What came back from one call.
struct SandboxReply : HttpReply {
  // Discarded when it isn't JSON.
  Json json() const;

  // The JSON of the stream's whole events; one that isn't JSON is discarded.
  std::vector<Json> events() const;
};

inline const HttpHeaders::value_type kKey = {"Authorization", "Bearer ak:sandbox"};

// Parameters that every call takes.
Json Everything();

class SandboxTest : public ::testing::Test {
 protected:
  explicit SandboxTest(bool faults = false);

  void SetUp() override { ASSERT_NE(sandbox_, nullptr); }

  // "http://127.0.0.1:41234"
  std::string origin() const;

  // Sends `body` to a path under /v1 with the right key.
  SandboxReply Call(const std::string& path, const Json& body, HttpHeaders headers = {}) const;

  // Status 0 when no whole answer came, as for the next.
  SandboxReply Post(const std::string& path, const std::string& body, const HttpHeaders& headers) const;
  SandboxReply Get(const std::string& url) const;

  std::unique_ptr<Sandbox> sandbox_;
};

}  // namespace igptd::sandbox
