#include "igpt/response_headers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace igpt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(ResponseHeadersTest, AreReadAsTheyCame) {
  const ResponseHeaders headers("Server: nginx\r\nX-Empty:\r\nx-twice: 1 \r\nX-Twice:2\n");
  EXPECT_THAT(headers.All(),
              ElementsAre(Pair("Server", "nginx"), Pair("X-Empty", ""), Pair("x-twice", "1"), Pair("X-Twice", "2")));
  EXPECT_EQ(headers.Get("server"), "nginx");
  EXPECT_EQ(headers.Get("X-EMPTY"), "");
  EXPECT_EQ(headers.Get("X-Twice"), "1");
  EXPECT_EQ(headers.Get("X"), std::nullopt);
  EXPECT_FALSE(headers.empty());
}

TEST(ResponseHeadersTest, WhatIsNoFieldIsLeftOut) {
  for (const char* lines : {"", "\r\n", "HTTP/1.1 200 OK", ": value", "name"}) {
    EXPECT_THAT(ResponseHeaders(lines).All(), IsEmpty()) << lines;
    EXPECT_TRUE(ResponseHeaders(lines).empty());
  }
}

TEST(ResponseHeadersTest, CookiesAreSecrets) {
  EXPECT_THAT(ResponseHeaders("Set-Cookie: secret\nset-cookie: secret\nServer: x").All(),
              ElementsAre(Pair("Server", "x")));
}

TEST(ResponseHeadersTest, TakeNoMoreThanTheirRoom) {
  ResponseHeaders headers;
  for (int i = 0; i < 1000; ++i) headers.Add("X-Name: " + std::string(100, 'x'));
  EXPECT_LE(headers.lines().size(), ResponseHeaders::kMaxBytes);
  EXPECT_GT(headers.lines().size(), ResponseHeaders::kMaxBytes - 200);
  headers.Add("A: b");
  EXPECT_EQ(headers.Get("A"), "b");
}

}  // namespace
}  // namespace igpt
