#include "service/sandbox/http_connection.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace igptd::sandbox {
namespace {

constexpr int kReadTimeoutMs = 60'000;
constexpr short kGone = POLLRDHUP | POLLHUP | POLLERR;  // NOLINT(google-runtime-int): poll's own type

// What happened, of `events` and the client's going away, within the time; 0 when nothing did.
int Poll(int fd, int events, int timeout_ms) {
  pollfd poll_fd{.fd = fd, .events = static_cast<short>(events), .revents = 0};  // NOLINT(google-runtime-int)
  int ready;
  do {
    ready = poll(&poll_fd, 1, timeout_ms);
  } while (ready < 0 && errno == EINTR);
  return ready > 0 ? poll_fd.revents : 0;
}

}  // namespace

bool HttpConnection::WaitForRequest(int timeout_ms) {
  return begin_ < end_ || Poll(fd_, POLLIN, timeout_ms) != 0;
}

bool HttpConnection::is_readable() const {
  return begin_ < end_ || Poll(fd_, POLLIN, kReadTimeoutMs) != 0;
}

bool HttpConnection::is_writable() const {
  return (Poll(fd_, POLLRDHUP, 0) & kGone) == 0;
}

ssize_t HttpConnection::read(char* data, size_t size) {
  if (begin_ == end_) {
    if (!is_readable()) return -1;
    ssize_t received;
    do {
      received = recv(fd_, buffer_.data(), buffer_.size(), 0);
    } while (received < 0 && errno == EINTR);
    if (received <= 0) return received;
    begin_ = 0;
    end_ = static_cast<size_t>(received);
  }
  const size_t count = std::min(size, end_ - begin_);
  std::memcpy(data, buffer_.data() + begin_, count);
  begin_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t HttpConnection::write(const char* data, size_t size) {
  while ((Poll(fd_, POLLOUT | POLLRDHUP, -1) & kGone) == 0) {
    const ssize_t sent = send(fd_, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return sent;
    if (errno != EAGAIN && errno != EINTR) return -1;
  }
  return -1;
}

// httplib asks for these only to put them into the request's headers, where nobody reads them.
void HttpConnection::get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const {}
void HttpConnection::get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const {}

}  // namespace igptd::sandbox
