#include "service/edge/caller_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
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

void CallerConnection::Offend() {
  if (++offences_ > kMaxOffences) CutOff("too many of its calls were reset at once, or are calls that it may not make");
}

void CallerConnection::ForgetOffences(int count) {
  int offences = offences_;
  while (offences > 0 && !offences_.compare_exchange_weak(offences, std::max(0, offences - count))) {
  }
}

void CallerConnection::CutOff(const char* why) {
  const char* none = nullptr;
  if (why_cut_off_.compare_exchange_strong(none, why)) End();
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

namespace {
constexpr std::string_view kV6 = "ipv6:%5B";
}  // namespace

std::string_view HostOf(std::string_view peer) {
  return peer.substr(0, peer.rfind(':'));
}

std::string_view AddressOf(std::string_view host) {
  if (!host.starts_with(kV6)) return host.substr(std::min(host.find(':') + 1, host.size()));
  const std::string_view rest = host.substr(kV6.size());
  return rest.substr(0, rest.find('%'));  // a scope and the end both begin with it
}

std::string NetworkOf(std::string_view host) {
  if (!host.starts_with(kV6)) return std::string(host);
  const std::string address(AddressOf(host));
  std::array<uint8_t, sizeof(in6_addr)> bytes = {};
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) return std::string(host);
  std::fill(bytes.begin() + bytes.size() / 2, bytes.end(), uint8_t{0});
  return absl::StrCat("ipv6:%5B", Numeric(AF_INET6, bytes.data()), "%5D/64");
}

}  // namespace igptd
