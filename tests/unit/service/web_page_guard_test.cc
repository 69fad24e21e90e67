#include "service/admin/web_page_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace igptd {
namespace {

using ::testing::HasSubstr;

std::string ObjectionTo(HttpHeaders headers) {
  HttpRequest request;
  request.headers = std::move(headers);
  return WebPageObjection(request, "igptd-0.example");
}

TEST(WebPageGuardTest, HostsThatNoPageCanName) {
  for (const char* host : {"localhost", "localhost:9090", "LocalHost:1", "127.0.0.1", "127.0.0.1:9090", "10.1.2.3:9090",
                           "[::1]", "[::1]:9090", "[fd00::1]:9090", "igptd-0.example", "IGPTD-0.EXAMPLE:9090"}) {
    EXPECT_EQ(ObjectionTo({{"Host", host}}), "") << host;
    EXPECT_EQ(ObjectionTo({{"hOST", host}}), "") << host;
  }
}

TEST(WebPageGuardTest, OtherHosts) {
  for (const char* host : {"",
                           "evil.example",
                           "evil.example:9090",
                           "localhost.evil.example",
                           "127.0.0.1.evil.example:9090",
                           "localhost:",
                           "localhost:x",
                           "localhost@evil.example",
                           "evil.example@localhost",
                           "localhost evil.example",
                           "127.1",
                           "2130706433",
                           "0x7f000001",
                           "::1",
                           "[::1",
                           "[localhost]",
                           "sub.localhost",
                           "localhost.",
                           "igptd-0.example.evil",
                           "igptd-0",
                           "localhost,evil.example",
                           "localhost:9090:9090"}) {
    EXPECT_THAT(ObjectionTo({{"Host", host}}), HasSubstr("Host")) << host;
  }
  EXPECT_THAT(ObjectionTo({}), HasSubstr("Host"));
  EXPECT_THAT(ObjectionTo({{"Host", "localhost"}, {"Host", "evil.example"}}), HasSubstr("Host"));
  EXPECT_THAT(ObjectionTo({{"Host", "localhost"}, {"Host", "localhost"}}), HasSubstr("Host"));
}

TEST(WebPageGuardTest, WhatABrowserSaysOfTheSite) {
  const auto with = [](const char* name, const char* value) {
    return ObjectionTo({{"Host", "localhost"}, {name, value}});
  };
  for (const char* origin : {"https://evil.example", "null", "", "http://localhost:9090"}) {
    EXPECT_THAT(with("Origin", origin), HasSubstr("Origin")) << origin;
    EXPECT_THAT(with("oRIGIN", origin), HasSubstr("Origin")) << origin;
  }
  for (const char* site : {"cross-site", "same-site", "", "NONE", "none, cross-site", "something-new"}) {
    EXPECT_THAT(with("Sec-Fetch-Site", site), HasSubstr("Sec-Fetch-Site")) << site;
  }
  EXPECT_EQ(with("Sec-Fetch-Site", "none"), "");
  EXPECT_EQ(with("sec-fetch-site", "same-origin"), "");
  EXPECT_NE(ObjectionTo({{"Sec-Fetch-Site", "none"}, {"Sec-Fetch-Site", "cross-site"}, {"Host", "localhost"}}), "");
}

}  // namespace
}  // namespace igptd
