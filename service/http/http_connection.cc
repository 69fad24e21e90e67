#include "service/http/http_connection.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/time/clock.h"

namespace igptd {
namespace {

constexpr short kGone = POLLRDHUP | POLLHUP | POLLERR;  // NOLINT(google-runtime-int): poll's own type

int ToPollTimeout(absl::Duration timeout) {
  if (timeout == absl::InfiniteDuration()) return -1;
  return static_cast<int>(std::max<int64_t>(0, absl::ToInt64Milliseconds(timeout)));
}

}  // namespace

HttpConnection::HttpConnection(int fd, const HttpPatience& patience)
    : fd_(fd), patience_(patience), limit_(absl::Now() + patience.connection) {}

int HttpConnection::Poll(int events, absl::Duration timeout) const {
  pollfd poll_fd{.fd = fd_, .events = static_cast<short>(events), .revents = 0};  // NOLINT(google-runtime-int)
  if (limit_ != absl::InfiniteFuture()) timeout = std::min(timeout, limit_ - absl::Now());
  int ready;
  do {
    ready = poll(&poll_fd, 1, ToPollTimeout(timeout));
  } while (ready < 0 && errno == EINTR);
  return ready > 0 ? poll_fd.revents : 0;
}

bool HttpConnection::WaitForRequest(absl::Duration timeout) {
  return begin_ < end_ || Poll(POLLIN, timeout) != 0;
}

bool HttpConnection::is_readable() const {
  return begin_ < end_ || Poll(POLLIN, patience_.read) != 0;
}

bool HttpConnection::is_writable() const {
  return (Poll(POLLRDHUP, absl::ZeroDuration()) & kGone) == 0;
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
  for (;;) {
    const int ready = Poll(POLLOUT | POLLRDHUP, patience_.write);
    if (ready == 0 || (ready & kGone) != 0) return -1;
    const ssize_t sent = send(fd_, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return sent;
    if (errno != EAGAIN && errno != EINTR) return -1;
  }
}

// httplib asks for these only to put them into the request's headers, where nobody reads them.
void HttpConnection::get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const {}
void HttpConnection::get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const {}

}  // namespace igptd
