#include "service/http/http_connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace igptd {
namespace {

constexpr short kGone = POLLRDHUP | POLLHUP | POLLERR;  // NOLINT(google-runtime-int): poll's own type

int ToPollTimeout(absl::Duration timeout) {
  if (timeout == absl::InfiniteDuration()) return -1;
  return static_cast<int>(std::max<int64_t>(0, absl::ToInt64Milliseconds(timeout)));
}

absl::Duration Since(std::chrono::steady_clock::time_point start) {
  return absl::FromChrono(std::chrono::steady_clock::now() - start);
}

}  // namespace

HttpConnection::HttpConnection(int fd, const HttpPatience& patience) : fd_(fd), patience_(patience) {}

int HttpConnection::Poll(int events, absl::Duration timeout) const {
  pollfd poll_fd{.fd = fd_, .events = static_cast<short>(events), .revents = 0};  // NOLINT(google-runtime-int)
  timeout = std::min(timeout, patience_.connection - Since(start_));
  int ready;
  do {
    ready = poll(&poll_fd, 1, ToPollTimeout(timeout));
  } while (ready < 0 && errno == EINTR);
  return ready > 0 ? poll_fd.revents : 0;
}

bool HttpConnection::WaitForData(absl::Duration timeout) const {
  return Poll(POLLIN, timeout) != 0;
}

bool HttpConnection::Receive(std::string& buffer) {
  if (!WaitForData(std::min(patience_.read, patience_.request - Since(request_start_)))) return false;
  std::array<char, 16384> data;
  ssize_t received;
  do {
    received = recv(fd_, data.data(), data.size(), 0);
  } while (received < 0 && errno == EINTR);
  if (received <= 0) return false;
  buffer.append(data.data(), static_cast<size_t>(received));
  return true;
}

bool HttpConnection::Send(std::string_view data) {
  while (!data.empty()) {
    const int ready = Poll(POLLOUT | POLLRDHUP, patience_.write);
    if (ready == 0 || (ready & kGone) != 0) return false;
    const ssize_t sent = send(fd_, data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (sent > 0) data.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool HttpConnection::IsOpen() const {
  return (Poll(POLLRDHUP, absl::ZeroDuration()) & kGone) == 0;
}

void HttpConnection::Linger() {
  shutdown(fd_, SHUT_WR);
  for (std::string dropped; Receive(dropped);) dropped.clear();
}

}  // namespace igptd
