#include "igpt/internal/http/base_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace igpt::internal {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Good {
  std::string text;
  BaseUrl expected;
};

class GoodBaseUrlTest : public testing::TestWithParam<Good> {};

TEST_P(GoodBaseUrlTest, IsTakenApart) {
  const absl::StatusOr<BaseUrl> base = ParseBaseUrl(GetParam().text);
  ASSERT_TRUE(base.ok()) << GetParam().text << ": " << base.status();
  EXPECT_EQ(base->url, GetParam().expected.url);
  EXPECT_EQ(base->host, GetParam().expected.host);
  EXPECT_EQ(base->port, GetParam().expected.port);
  EXPECT_EQ(base->host_is_address, GetParam().expected.host_is_address);
}

std::vector<Good> Https() {
  return {
      {"https://api.igpt.ai/v1", {"https://api.igpt.ai/v1", "api.igpt.ai", 443, false}},
      {"https://api.igpt.ai/v1/", {"https://api.igpt.ai/v1", "api.igpt.ai", 443, false}},
      {"https://api.igpt.ai///", {"https://api.igpt.ai", "api.igpt.ai", 443, false}},
      {"https://api.igpt.ai", {"https://api.igpt.ai", "api.igpt.ai", 443, false}},
      {"HTTPS://api.igpt.ai:8443/a/b", {"HTTPS://api.igpt.ai:8443/a/b", "api.igpt.ai", 8443, false}},
      {"https://host:1", {"https://host:1", "host", 1, false}},
      {"https://host:65535", {"https://host:65535", "host", 65535, false}},
      {"https://192.0.2.7/v1", {"https://192.0.2.7/v1", "192.0.2.7", 443, true}},
      {"https://[2001:db8::7]:444/v1", {"https://[2001:db8::7]:444/v1", "2001:db8::7", 444, true}},
      {"https://host/a@b", {"https://host/a@b", "host", 443, false}},
  };
}

INSTANTIATE_TEST_SUITE_P(Https, GoodBaseUrlTest, testing::ValuesIn(Https()));

std::vector<Good> HttpToLoopback() {
  return {
      {"http://127.0.0.1:8080/v1", {"http://127.0.0.1:8080/v1", "127.0.0.1", 8080, true}},
      {"http://127.255.0.1", {"http://127.255.0.1", "127.255.0.1", 80, true}},
      {"http://127.1", {"http://127.1", "127.0.0.1", 80, true}},  // as libcurl reads it
      {"http://[::1]:8080/", {"http://[::1]:8080", "::1", 8080, true}},
      {"http://[0:0:0:0:0:0:0:1]", {"http://[0:0:0:0:0:0:0:1]", "::1", 80, true}},
      {"http://localhost", {"http://localhost", "localhost", 80, false}},
      {"http://LocalHost:1/x", {"http://LocalHost:1/x", "LocalHost", 1, false}},
  };
}

INSTANTIATE_TEST_SUITE_P(HttpToLoopback, GoodBaseUrlTest, testing::ValuesIn(HttpToLoopback()));

struct Bad {
  std::string text;
  std::string remedy;
};

class BadBaseUrlTest : public testing::TestWithParam<Bad> {};

TEST_P(BadBaseUrlTest, IsRefusedWithItsRemedyAndNotRepeated) {
  const absl::StatusOr<BaseUrl> base = ParseBaseUrl(GetParam().text);
  ASSERT_FALSE(base.ok()) << GetParam().text;
  EXPECT_EQ(base.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(base.status().message()), HasSubstr(GetParam().remedy));
  EXPECT_THAT(std::string(base.status().message()), Not(HasSubstr("SECRET")));
}

std::vector<Bad> Urls() {
  return {
      {"", "must start with https://"},
      {"api.igpt.ai/v1", "must start with https://"},
      {"//api.igpt.ai/v1", "must start with https://"},
      {"https:/api.igpt.ai", "must start with https://"},
      {"ftp://api.igpt.ai", "must start with https://"},
      {"file:///etc/passwd", "must start with https://"},
      {"httpss://api.igpt.ai", "must start with https://"},
      {"http://api.igpt.ai/v1", "loopback"},
      {"http://10.0.0.1", "loopback"},
      {"http://128.0.0.1", "loopback"},
      {"http://0.0.0.0", "loopback"},
      {"http://[::]", "loopback"},
      {"http://[::2]", "loopback"},
      {"http://localhost.example.com", "loopback"},
      {"http://127.0.0.1.example.com", "loopback"},
      {"http://example.com/127.0.0.1", "loopback"},
      {"https://user:SECRET@api.igpt.ai", "user or a password"},
      {"https://SECRET@api.igpt.ai", "user or a password"},
      {"http://localhost@example.com", "user or a password"},
      {"http://user:SECRET@example.com/", "user or a password"},
      {"https://user:SECRET@host:99999", ""},
      {"https://api.igpt.ai/v1?key=SECRET", "query"},
      {"https://api.igpt.ai/v1?", "query"},
      {"https://api.igpt.ai/v1#SECRET", "fragment"},
      {"https://api.igpt.ai/v1\r\nX: SECRET", "visible ASCII"},
      {"https://api.igpt.ai/v 1", "visible ASCII"},
      {" https://api.igpt.ai", "visible ASCII"},
      {"https://api.igpt.ai\n", "visible ASCII"},
      {std::string("https://a\0b", 11), "visible ASCII"},
      {"https://\xC3\xA4.example", "visible ASCII"},
      {"https://host:0", "port"},
      {"https://host:65536", "port"},
      {"https://host:99999999999", "port"},
      {"https://host:-1", "port"},
      {"https://host:x", "port"},
      {"https://", "https://host"},
      {"https:///", "https://host"},
      {"https://:443", "https://host"},
      {"https://[::1", "https://host"},
      {"https://[nonsense]", "https://host"},
  };
}

INSTANTIATE_TEST_SUITE_P(Urls, BadBaseUrlTest, testing::ValuesIn(Urls()));

}  // namespace
}  // namespace igpt::internal
