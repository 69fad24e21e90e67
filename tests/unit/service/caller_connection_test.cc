#include "service/edge/caller_connection.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include <cstring>
#include <string>

namespace igptd {
namespace {

template <typename Address>
sockaddr_storage Stored(const Address& address) {
  sockaddr_storage stored = {};
  std::memcpy(&stored, &address, sizeof(address));
  return stored;
}

sockaddr_storage V4(const char* host, uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  EXPECT_EQ(inet_pton(AF_INET, host, &address.sin_addr), 1);
  return Stored(address);
}

sockaddr_storage V6(const char* host, uint16_t port, uint32_t scope = 0) {
  sockaddr_in6 address = {};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_scope_id = scope;
  EXPECT_EQ(inet_pton(AF_INET6, host, &address.sin6_addr), 1);
  return Stored(address);
}

TEST(PeerName, IsWrittenAsGrpcDoes) {
  EXPECT_EQ(PeerName(V4("127.0.0.1", 1)), "ipv4:127.0.0.1:1");
  EXPECT_EQ(PeerName(V4("10.1.2.3", 65535)), "ipv4:10.1.2.3:65535");
  EXPECT_EQ(PeerName(V6("::1", 50051)), "ipv6:%5B::1%5D:50051");
  EXPECT_EQ(PeerName(V6("2001:db8::7", 443)), "ipv6:%5B2001:db8::7%5D:443");
  EXPECT_EQ(PeerName(V6("fe80::1", 443, 3)), "ipv6:%5Bfe80::1%253%5D:443");
  EXPECT_EQ(PeerName(V6("::ffff:10.1.2.3", 443)), "ipv4:10.1.2.3:443");
  sockaddr_un unix_address = {};
  unix_address.sun_family = AF_UNIX;
  EXPECT_EQ(PeerName(Stored(unix_address)), "");
}

int Corked(int fd) {
  int corked = -1;
  socklen_t size = sizeof(corked);
  EXPECT_EQ(getsockopt(fd, IPPROTO_TCP, TCP_CORK, &corked, &size), 0);
  return corked;
}

TEST(CallerConnection, IsUncorkedByWhoeverCorkedIt) {
  CallerConnection connection(socket(AF_INET, SOCK_STREAM, 0), "");
  EXPECT_TRUE(connection.Cork());
  EXPECT_EQ(Corked(connection.fd()), 1);
  EXPECT_FALSE(connection.Cork());
  connection.Uncork();
  EXPECT_EQ(Corked(connection.fd()), 0);
  EXPECT_TRUE(connection.Cork());
}

}  // namespace
}  // namespace igptd
