#include "service/edge/caller_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace igptd {
namespace {

void SetCork(int fd, int on) {
  setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));  // fails only if the connection is gone
}

std::string Numeric(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text = {};
  return inet_ntop(family, address, text.data(), text.size());
}

}  // namespace

CallerConnection::~CallerConnection() {
  close(fd_);
}

bool CallerConnection::Cork() {
  if (corked_.exchange(true)) return false;
  SetCork(fd_, 1);
  return true;
}

void CallerConnection::Uncork() {
  SetCork(fd_, 0);
  corked_ = false;
}

// After a mere shutdown, gRPC would first read and process everything that was received before it.
void CallerConnection::End() {
  shutdown(fd_, SHUT_RDWR);
  constexpr size_t kAtOnce = 1 << 20;
  while (recv(fd_, nullptr, kAtOnce, MSG_TRUNC | MSG_DONTWAIT) > 0) {
  }
}

std::string PeerName(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof(v4));
    return absl::StrCat("ipv4:", Numeric(AF_INET, &v4.sin_addr), ":", ntohs(v4.sin_port));
  }
  if (address.ss_family != AF_INET6) return "";
  sockaddr_in6 v6;
  std::memcpy(&v6, &address, sizeof(v6));
  const uint16_t port = ntohs(v6.sin6_port);
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    constexpr int kPrefixBytes = 12;
    return absl::StrCat("ipv4:", Numeric(AF_INET, &v6.sin6_addr.s6_addr[kPrefixBytes]), ":", port);
  }
  const std::string scope = v6.sin6_scope_id == 0 ? "" : absl::StrCat("%25", v6.sin6_scope_id);
  return absl::StrCat("ipv6:%5B", Numeric(AF_INET6, &v6.sin6_addr), scope, "%5D:", port);
}

std::string_view HostOf(std::string_view peer) {
  return peer.substr(0, peer.rfind(':'));
}

}  // namespace igptd
