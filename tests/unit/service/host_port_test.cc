#include "service/system/host_port.h"

#include <gtest/gtest.h>

#include <string>

namespace igptd {
namespace {

TEST(HostPort, IsReadAndWrittenAgain) {
  struct {
    std::string text;
    std::string host;
    int port;
  } const cases[] = {
      {"127.0.0.1:50051", "127.0.0.1", 50051},
      {"localhost:0", "localhost", 0},
      {"[::1]:80", "::1", 80},
      {"[::]:65535", "::", 65535},
      {"my_host-1.example:1", "my_host-1.example", 1},
  };
  for (const auto& row : cases) {
    const std::optional<HostPort> address = ParseHostPort(row.text);
    ASSERT_TRUE(address.has_value()) << row.text;
    EXPECT_EQ(address->host, row.host);
    EXPECT_EQ(address->port, row.port);
    EXPECT_EQ(ToString(*address), row.text);
  }
}

TEST(HostPort, AnythingElseIsRefused) {
  for (const char* text :
       {"", ":", "host", "host:", ":80", "host:65536", "host:+1", "host: 1", "host:1x", "::1:80", "[::1]", "[::1]80",
        "[host]:80", "[]:80", "[::1:80", "ho st:80", "host/x:80", "host:99999999999999999999"}) {
    EXPECT_FALSE(ParseHostPort(text).has_value()) << text;
  }
}

TEST(HostPort, AllAddressesAreReachedByLoopback) {
  EXPECT_EQ(ToString(Reachable({"0.0.0.0", 1})), "127.0.0.1:1");
  EXPECT_EQ(ToString(Reachable({"::", 2})), "[::1]:2");
  EXPECT_EQ(ToString(Reachable({"10.0.0.1", 3})), "10.0.0.1:3");
}

TEST(HostPort, LoopbackIsOfThisMachineAlone) {
  for (const char* host : {"127.0.0.1", "127.255.0.9", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "localhost"}) {
    EXPECT_TRUE(IsLoopback(host)) << host;
  }
  for (const char* host : {"0.0.0.0", "::", "128.0.0.1", "10.127.0.1", "::2", "::ffff:10.0.0.1", "::127.0.0.1",
                           "127.0.0.1.example.com", "localhost.example.com", "127.1", "2130706433", "127.0.0.1.", ""}) {
    EXPECT_FALSE(IsLoopback(host)) << host;
  }
}

TEST(HostPort, CollidesOnOnePortOfOneAddress) {
  const struct {
    HostPort one;
    HostPort other;
    bool collide;
  } kCases[] = {
      {{"127.0.0.1", 1}, {"127.0.0.1", 1}, true},  {{"127.0.0.1", 1}, {"127.0.0.1", 2}, false},
      {{"127.0.0.1", 0}, {"127.0.0.1", 0}, false}, {{"127.0.0.1", 1}, {"127.0.0.2", 1}, false},
      {{"127.0.0.1", 1}, {"0.0.0.0", 1}, true},    {{"127.0.0.1", 1}, {"::", 1}, true},
      {{"127.0.0.1", 1}, {"::1", 1}, false},       {{"127.0.0.1", 1}, {"::ffff:127.0.0.1", 1}, true},
      {{"::1", 1}, {"0:0:0:0:0:0:0:1", 1}, true},  {{"localhost", 1}, {"127.0.0.1", 1}, true},
      {{"localhost", 1}, {"a.example", 1}, true},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(MayCollide(test.one, test.other), test.collide) << test.one.host << " " << test.other.host;
    EXPECT_EQ(MayCollide(test.other, test.one), test.collide) << test.other.host << " " << test.one.host;
  }
}

}  // namespace
}  // namespace igptd
